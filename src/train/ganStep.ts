/**
 * One training step of an ACGAN (Odena et al. 2017): a discriminator update on real and generated images together (one
 * call, one power iteration), or several of them, then a generator update through the frozen discriminator. What the losses
 * are is said in objective.ts.
 */
import { Tape } from '../autograd/tape.js';
import { type AugmentConfig, augmentAttrs, augmentDraws, isAugmented, NO_AUGMENTATION } from '../data/augment.js';
import type { Engine } from '../kernel/engine.js';
import type { Plan } from '../memory/plan.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import type { Discriminator } from '../models/discriminator.js';
import type { Generator } from '../models/generator.js';
import type { Network } from '../nn/network.js';
import { fill } from '../ops/elementwise.js';
import { scaleScalars } from '../ops/scalars.js';
import { spectrogramAugment } from '../ops/spectrogramAugment.js';
import { copyInto } from '../ops/strided.js';
import { emaDecay, updateEma } from '../optim/ema.js';
import type { LossScale } from '../optim/lossScale.js';
import type { Optimizer } from '../optim/optimizer.js';
import { createObjective, type GanObjective, LOSS_WEIGHTS, type Loss } from './objective.js';

export interface GanStepOptions extends GanObjective {
  /** Updates of the discriminator before each of the generator. Default 1. */
  readonly discriminatorSteps?: number;
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

/** What one update of the discriminator sees. */
export interface DiscriminatorBatch {
  /** Real images [N, channels, size, size] in [-1, 1]. */
  readonly images: Float32Array;
  /** Their classes [N]. */
  readonly labels: Int32Array;
  /** Noise [N, latent] and classes [N] of as many generated images. */
  readonly zd: Tensor;
  readonly zdLabels: Int32Array;
}

export interface GanBatch extends DiscriminatorBatch {
  /** Which step this is, for what is drawn within it. Default 0. */
  readonly step?: number;
  /** What the discriminator's further updates see: as many as the step makes, but for the first. Default none. */
  readonly further?: readonly DiscriminatorBatch[];
  /** Noise [N, latent] and classes [N] of the images that train the generator. */
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

/**
 * The step's losses, as they lie in its result: total of each network is the sum of its two. Of several updates of the
 * discriminator they are those of the last.
 */
export const LOSS_NAMES = ['sourceD', 'classD', 'sourceG', 'classG'] as const;

/** What lies behind the losses, where there are loss scales: those of the next step. */
export const LOSS_SCALE_NAMES = ['lossScaleD', 'lossScaleG'] as const;

export interface GanStep {
  /** Trains both networks on one batch; the losses [4], or with scales [6], unread, belong to the caller, who releases them. */
  run(batch: GanBatch, rates?: { readonly g?: number; readonly d?: number }): Tensor;
  destroy(): void;
}

/** A batch of the discriminator on the GPU. */
interface Uploaded {
  /** [2 N, channels, size, size]: the real images, then room for the generated ones. */
  readonly images: Tensor;
  /** What the discriminator is to name. */
  readonly targets: Tensor;
  readonly zd: Tensor;
  readonly zdLabels: Tensor;
}

/** The losses of one update. */
type Losses = { readonly source: Loss; readonly classes: Loss };

/** A step of fixed size. Its memory is planned before the first, so that every step meets the same buffers. */
export function createGanStep(e: Engine, gan: Gan, options: GanStepOptions, batchSize: number): GanStep {
  const step = unplannedStep(e, gan, options, batchSize);
  const plan = rehearse(e, gan, options, batchSize);
  return {
    run: (batch, rates) => e.follow(plan, () => step.run(batch, rates)),
    destroy() {
      step.destroy();
      e.forget(plan);
    },
  };
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
    const seen = { images, labels, zd: z, zdLabels: labels };
    const further = Array.from({ length: (options.discriminatorSteps ?? 1) - 1 }, () => seen);
    return () => step.run({ ...seen, further, zg: z, zgLabels: labels });
  });
  optimizerG.setStep(stepG);
  optimizerD.setStep(stepD);
  return plan;
}

function unplannedStep(e: Engine, gan: Gan, options: GanStepOptions, batchSize: number): GanStep {
  const { g, d, ema, optimizerG, optimizerD, lossScaleG, lossScaleD } = gan;
  const halves = g.copies && d.copies && new Map([...g.copies, ...d.copies]);
  const taping = { checkpoints: options.checkpointActivations ?? false, halves };
  const { channels, size } = d.module.config;
  const n = batchSize;
  const { source, classes } = createObjective(e, options, n, d.module.config.classes);
  const ofWeight = new Map(LOSS_WEIGHTS.map((weight) => [weight, fill(e, e.empty([]), weight)]));
  const scales = [lossScaleD, lossScaleG].flatMap((lossScale) => lossScale ?? []);

  const { augment = NO_AUGMENTATION, seed = 0, rangeDb, noise, discriminatorSteps = 1 } = options;
  const attrs = augmentAttrs(augment, size, rangeDb);
  /** What the discriminator sees of images in the i-th update of a step; what is drawn is of a stream of its own. */
  const augmented = (tape: Tape, images: Tensor, step: number, i: number): Tensor => {
    if (!isAugmented(augment)) return images;
    const stream = (discriminatorSteps + 1) * step + i;
    return tape.apply(spectrogramAugment, [images, noise], { ...attrs, ...augmentDraws(seed, stream) });
  };

  const upload = ({ images, labels, zd, zdLabels }: DiscriminatorBatch): Uploaded => {
    const all = e.empty([2 * n, channels, size, size]);
    e.write({ ...all, shape: [n, channels, size, size] }, images);
    const targets = classes.targets(labels, zdLabels);
    return {
      images: all,
      targets: e.upload(targets, [targets.length]),
      zd,
      zdLabels: e.upload(zdLabels, [n]),
    };
  };

  /** The gradients of both losses. */
  const backward = (tape: Tape, losses: Losses, lossScale: LossScale | undefined): void =>
    tape.backwardAll(
      [losses.source, losses.classes].map(({ value, weight }) => {
        const cotangent = ofWeight.get(weight)!;
        return [value, lossScale?.scaled(e, cotangent) ?? cotangent];
      }),
    );

  const updateDiscriminator = (
    { images, targets, zd, zdLabels }: Uploaded,
    step: number,
    i: number,
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
    const judged = d.module.forward(tape, augmented(tape, images, step, i));
    const losses = {
      source: source.discriminator(tape, judged.adversarial),
      classes: classes.discriminator(tape, judged.classes, targets),
    };
    e.mark('D backward');
    d.zeroGrad();
    backward(tape, losses, lossScaleD);
    e.mark('D update');
    optimizerD.update(e, rate);
    d.refreshCopies();
    return losses;
  };

  const updateGenerator = (
    zg: Tensor,
    labels: Tensor,
    foils: Tensor | undefined,
    step: number,
    rate?: number,
  ): Losses => {
    e.mark('G forward');
    const tape = new Tape(e, g.targets, taping);
    const made = g.module.forward(tape, zg, labels);
    const judged = d.module.forward(tape, augmented(tape, made, step, discriminatorSteps));
    const losses = {
      source: source.generator(tape, judged.adversarial),
      classes: classes.generator(tape, judged.classes, labels, foils),
    };
    e.mark('G backward');
    g.zeroGrad();
    backward(tape, losses, lossScaleG);
    e.mark('G update');
    optimizerG.update(e, rate);
    g.refreshCopies();
    if (ema) updateEma(e, g.values, ema.values, emaDecay(options.ema ?? 0, step));
    return losses;
  };

  return {
    run(batch, rates = {}) {
      const { step = 0, further = [], zg, zgLabels } = batch;
      if (further.length !== discriminatorSteps - 1) {
        throw new Error(`a step with ${discriminatorSteps} updates of D was given ${further.length + 1} batches`);
      }
      g.module.train();
      d.module.train();
      const result = e.empty([LOSS_NAMES.length + scales.length]);
      e.scope(() => {
        // All of it is sent before the first update, so that nothing interrupts the recording of the step.
        const uploaded = [batch, ...further].map(upload);
        const labels = e.upload(zgLabels, [n]);
        const foils = classes.foils && e.upload(classes.foils(zgLabels), [n]);
        const ofD = uploaded.map((one, i) => e.scope(() => updateDiscriminator(one, step, i, rates.d))).at(-1)!;
        const ofG = e.scope(() => updateGenerator(zg, labels, foils, step, rates.g));
        e.mark('losses');
        scaleScalars(
          e,
          [ofD.source.value, ofD.classes.value, ofG.source.value, ofG.classes.value],
          [ofD.source.weight, ofD.classes.weight, ofG.source.weight, ofG.classes.weight],
          result,
        );
        for (const [i, { scale }] of scales.entries()) copyInto(e, scale, result, LOSS_NAMES.length + i);
        return null;
      });
      e.submit();
      return result;
    },
    destroy() {
      source.destroy();
      for (const tensor of ofWeight.values()) e.release(tensor);
    },
  };
}
