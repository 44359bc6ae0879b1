/**
 * One training step of an ACGAN (Odena et al. 2017): a discriminator update on real and generated images together (one
 * call, one power iteration), then a generator update through the frozen discriminator.
 */
import { Tape } from '../autograd/tape.js';
import { type AugmentConfig, augmentAttrs, isAugmented, NO_AUGMENTATION } from '../data/augment.js';
import type { Engine } from '../kernel/engine.js';
import type { Plan } from '../memory/plan.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import type { Discriminator } from '../models/discriminator.js';
import type { Generator } from '../models/generator.js';
import type { Network } from '../nn/network.js';
import { add, fill, mul } from '../ops/elementwise.js';
import { bceWithLogits, crossEntropy } from '../ops/loss.js';
import { mean } from '../ops/reduce.js';
import { scaleScalars } from '../ops/scalars.js';
import { slice } from '../ops/shape.js';
import { spectrogramAugment } from '../ops/spectrogramAugment.js';
import { copyInto } from '../ops/strided.js';
import { emaDecay, updateEma } from '../optim/ema.js';
import type { LossScale } from '../optim/lossScale.js';
import type { Optimizer } from '../optim/optimizer.js';

export interface GanObjective {
  /** Of the judgement real or fake: binary cross entropy (Odena) or hinge (Miyato). */
  readonly adversarial: 'bce' | 'hinge';
  /** Whether the discriminator's class loss counts generated images too. */
  readonly classOnFakes: boolean;
}

export interface GanStepOptions extends GanObjective {
  /** Whether activations are forgotten and computed again for the gradients: less memory, for more time. Default false. */
  readonly checkpointActivations?: boolean;
  /** Decay of the average that the GAN has, if it has one. */
  readonly ema?: number | null;
  /**
   * What may happen to every image, real or generated, before the discriminator sees it, in both updates (Zhao et al. 2020).
   * Default nothing. It is drawn from the seed and the number of the step.
   */
  readonly augment?: AugmentConfig;
  readonly seed?: number;
  /** Of the spectrograms; see augmentAttrs. */
  readonly rangeDb?: number | undefined;
  /** i32 [M, channels, size, size]: backgrounds for that, levels 0 to 255. */
  readonly noise?: Tensor | undefined;
}

export interface GanBatch {
  /** Which step this is, for what is drawn within it. Default 0. */
  readonly step?: number;
  /** Real images [N, channels, size, size] in [-1, 1]. */
  readonly images: Float32Array;
  /** Their classes [N]. */
  readonly labels: Int32Array;
  /** Noise [N, latent] and classes [N] of the images that the discriminator sees, then of those that train the generator. */
  readonly zd: Tensor;
  readonly zdLabels: Int32Array;
  readonly zg: Tensor;
  readonly zgLabels: Int32Array;
}

/**
 * What a step needs and keeps: two networks with their optimisers, the loss scales that these use, if any, and an average of
 * the generator's weights over the steps (Yazici et al. 2019), if it is wanted: it is never trained, and generates better.
 */
export interface Gan {
  readonly g: Network<Generator>;
  readonly d: Network<Discriminator>;
  readonly ema?: Network<Generator>;
  readonly optimizerG: Optimizer;
  readonly optimizerD: Optimizer;
  readonly lossScaleG?: LossScale;
  readonly lossScaleD?: LossScale;
}

/** The step's losses, as they lie in its result: total of each network is the sum of its two. */
export const LOSS_NAMES = ['sourceD', 'classD', 'sourceG', 'classG'] as const;

/** What lies behind the losses, where there are loss scales: those of the next step. */
export const LOSS_SCALE_NAMES = ['lossScaleD', 'lossScaleG'] as const;

export interface GanStep {
  /** Trains both networks on one batch; the losses [4], or with scales [6], unread, belong to the caller, who releases them. */
  run(batch: GanBatch, rates?: { readonly g?: number; readonly d?: number }): Tensor;
  destroy(): void;
}

interface Constants {
  readonly one: Tensor;
  readonly two: Tensor;
  readonly minusOne: Tensor;
  /** [2 N]: 1 for real, 0 for generated. */
  readonly targets: Tensor;
  /** [2 N]: -1 for real, 1 for generated. */
  readonly signs: Tensor;
  /** [N]: 1. */
  readonly allReal: Tensor;
}

/** A batch on the GPU. All of it is sent before the first update, so that nothing interrupts the recording of the step. */
interface Uploaded {
  /** [2 N, channels, size, size]: the real images, then room for the generated ones. */
  readonly images: Tensor;
  /** Classes that the discriminator is asked for: of the real images, or of all. */
  readonly labels: Tensor;
  readonly zdLabels: Tensor;
  readonly zgLabels: Tensor;
}

/** The losses of one update, before their weights. */
interface Losses {
  readonly source: Tensor;
  readonly classes: Tensor;
  readonly [name: string]: Tensor;
}

/** A step of fixed size. Its memory is planned before the first, so that every step meets the same buffers. */
export function createGanStep(e: Engine, gan: Gan, options: GanStepOptions, batchSize: number): GanStep {
  const step = unplannedStep(e, gan, options, batchSize);
  const plan = rehearse(e, gan, options, batchSize);
  return { ...step, run: (batch, rates) => e.follow(plan, () => step.run(batch, rates)) };
}

/** A step in which nothing is computed. It leaves no trace: gradients are forgotten before a step, and the optimisers' counts are put back. */
function rehearse(e: Engine, gan: Gan, options: GanStepOptions, n: number): Plan {
  const { g, d, optimizerG, optimizerD } = gan;
  const { channels, size } = d.module.config;
  const [stepG, stepD] = [optimizerG.step, optimizerD.step];
  const plan = e.rehearse((dry) => {
    const step = unplannedStep(dry, gan, options, n);
    const images = new Float32Array(n * channels * size ** 2);
    const labels = new Int32Array(n);
    const z = dry.empty([n, g.module.config.latent]);
    return () => step.run({ images, labels, zd: z, zdLabels: labels, zg: z, zgLabels: labels });
  });
  optimizerG.setStep(stepG);
  optimizerD.setStep(stepD);
  return plan;
}

function unplannedStep(e: Engine, gan: Gan, objective: GanStepOptions, batchSize: number): GanStep {
  const { g, d, ema, optimizerG, optimizerD, lossScaleG, lossScaleD } = gan;
  const halves = g.copies && d.copies && new Map([...g.copies, ...d.copies]);
  const taping = { checkpoints: objective.checkpointActivations ?? false, halves };
  const { channels, size } = d.module.config;
  const n = batchSize;
  const bce = objective.adversarial === 'bce';
  const halfAndHalf = (real: number, fake: number): Tensor =>
    e.upload(
      Float32Array.from({ length: 2 * n }, (_, i) => (i < n ? real : fake)),
      [2 * n],
    );
  const constants: Constants = {
    one: fill(e, e.empty([]), 1),
    two: fill(e, e.empty([]), 2),
    minusOne: fill(e, e.empty([]), -1),
    targets: halfAndHalf(1, 0),
    signs: halfAndHalf(-1, 1),
    allReal: fill(e, e.empty([n]), 1),
  };
  // A mean over both halves together is half the sum of the two means, and so is its gradient.
  const weightsD = [2, objective.classOnFakes ? 2 : 1] as const;
  const cotangentsD = [constants.two, objective.classOnFakes ? constants.two : constants.one] as const;
  const weightsG = [bce ? 1 : -1, 1] as const;
  const cotangentsG = [bce ? constants.one : constants.minusOne, constants.one] as const;

  const { augment = NO_AUGMENTATION, seed = 0, rangeDb, noise } = objective;
  const attrs = { ...augmentAttrs(augment, size, rangeDb), seed };
  /** What the discriminator sees of images; `stream` fixes what is drawn. */
  const augmented = (tape: Tape, images: Tensor, stream: number): Tensor =>
    isAugmented(augment) ? tape.apply(spectrogramAugment, [images, noise], { ...attrs, stream }) : images;
  const scaled = (lossScale: LossScale | undefined, cotangent: Tensor): Tensor =>
    lossScale?.scaled(e, cotangent) ?? cotangent;
  const scales = [lossScaleD, lossScaleG].flatMap((lossScale) => lossScale ?? []);

  const upload = (batch: GanBatch): Uploaded => {
    const images = e.empty([2 * n, channels, size, size]);
    e.write({ ...images, shape: [n, channels, size, size] }, batch.images);
    const labels = objective.classOnFakes ? [...batch.labels, ...batch.zdLabels] : batch.labels;
    return {
      images,
      labels: e.upload(Int32Array.from(labels), [labels.length]),
      zdLabels: e.upload(batch.zdLabels, [n]),
      zgLabels: e.upload(batch.zgLabels, [n]),
    };
  };

  const updateDiscriminator = (
    { images, labels, zdLabels }: Uploaded,
    { step = 0, zd }: GanBatch,
    rate?: number,
  ): Losses => {
    e.mark('fakes');
    e.scope(() => {
      const fakes = g.module.forward(new Tape(e, undefined, { halves }), zd, zdLabels);
      copyInto(e, fakes, images, sizeOf(fakes.shape));
      return null;
    });
    e.mark('D forward');
    const tape = new Tape(e, d.targets, taping);
    const judged = d.module.forward(tape, augmented(tape, images, 2 * step));
    const source = discriminatorSource(tape, objective, constants, judged.adversarial);
    const logits = objective.classOnFakes
      ? judged.classes
      : tape.apply(slice, [judged.classes], { dim: 0, start: 0, length: n });
    const classes = tape.apply(crossEntropy, [logits, labels], {});
    e.mark('D backward');
    d.zeroGrad();
    tape.backwardAll([
      [source, scaled(lossScaleD, cotangentsD[0])],
      [classes, scaled(lossScaleD, cotangentsD[1])],
    ]);
    e.mark('D update');
    optimizerD.update(e, rate);
    d.refreshCopies();
    return { source, classes };
  };

  const updateGenerator = ({ zgLabels }: Uploaded, { step = 0, zg }: GanBatch, rate?: number): Losses => {
    e.mark('G forward');
    const tape = new Tape(e, g.targets, taping);
    const made = g.module.forward(tape, zg, zgLabels);
    const judged = d.module.forward(tape, augmented(tape, made, 2 * step + 1));
    const source = bce
      ? tape.apply(bceWithLogits, [judged.adversarial, constants.allReal], {})
      : tape.apply(mean, [judged.adversarial], {});
    const classes = tape.apply(crossEntropy, [judged.classes, zgLabels], {});
    e.mark('G backward');
    g.zeroGrad();
    tape.backwardAll([
      [source, scaled(lossScaleG, cotangentsG[0])],
      [classes, scaled(lossScaleG, cotangentsG[1])],
    ]);
    e.mark('G update');
    optimizerG.update(e, rate);
    g.refreshCopies();
    if (ema) updateEma(e, g.values, ema.values, emaDecay(objective.ema ?? 0, step));
    return { source, classes };
  };

  return {
    run(batch, rates = {}) {
      g.module.train();
      d.module.train();
      const losses = e.empty([LOSS_NAMES.length + scales.length]);
      e.scope(() => {
        const uploaded = upload(batch);
        const ofD = e.scope(() => updateDiscriminator(uploaded, batch, rates.d));
        const ofG = e.scope(() => updateGenerator(uploaded, batch, rates.g));
        e.mark('losses');
        scaleScalars(e, [ofD.source, ofD.classes, ofG.source, ofG.classes], [...weightsD, ...weightsG], losses);
        for (const [i, { scale }] of scales.entries()) copyInto(e, scale, losses, LOSS_NAMES.length + i);
        return null;
      });
      e.submit();
      return losses;
    },
    destroy() {
      for (const tensor of Object.values(constants)) e.release(tensor);
    },
  };
}

/** Half of the discriminator's loss of judgement. */
function discriminatorSource(tape: Tape, { adversarial }: GanObjective, constants: Constants, logits: Tensor): Tensor {
  if (adversarial === 'bce') return tape.apply(bceWithLogits, [logits, constants.targets], {});
  const margins = tape.apply(mul, [logits, constants.signs], {});
  return tape.apply(mean, [tape.apply(add, [margins, constants.one], { activation: 'relu' })], {});
}
