/**
 * One training step of an ACGAN (Odena et al. 2017): a discriminator update on real and generated images together (one
 * call, one power iteration), then a generator update through the frozen discriminator.
 */
import { Tape } from '../autograd/tape.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import type { Discriminator } from '../models/discriminator.js';
import type { Generator } from '../models/generator.js';
import type { Network } from '../nn/network.js';
import { add, fill, mul } from '../ops/elementwise.js';
import { bceWithLogits, crossEntropy } from '../ops/loss.js';
import { mean } from '../ops/reduce.js';
import { concat, slice } from '../ops/shape.js';
import { stridedCopy } from '../ops/strided.js';
import type { Optimizer } from '../optim/optimizer.js';

export interface GanObjective {
  /** Of the judgement real or fake: binary cross entropy (Odena) or hinge (Miyato). */
  readonly adversarial: 'bce' | 'hinge';
  /** Whether the discriminator's class loss counts generated images too. */
  readonly classOnFakes: boolean;
}

export interface GanBatch {
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

/** What a step needs and keeps: two networks with their optimisers. */
export interface Gan {
  readonly g: Network<Generator>;
  readonly d: Network<Discriminator>;
  readonly optimizerG: Optimizer;
  readonly optimizerD: Optimizer;
}

/** The step's losses, as they lie in its result: total of each network is the sum of its two. */
export const LOSS_NAMES = ['sourceD', 'classD', 'sourceG', 'classG'] as const;

export interface GanStep {
  /** Trains both networks on one batch; the losses [4], unread, belong to the caller, who releases them. */
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

export function createGanStep(e: Engine, gan: Gan, objective: GanObjective, batchSize: number): GanStep {
  const { g, d, optimizerG, optimizerD } = gan;
  const n = batchSize;
  const halves = (real: number, fake: number): Tensor =>
    e.upload(
      Float32Array.from({ length: 2 * n }, (_, i) => (i < n ? real : fake)),
      [2 * n],
    );
  const constants: Constants = {
    one: fill(e, e.empty([1]), 1),
    two: fill(e, e.empty([]), 2),
    minusOne: fill(e, e.empty([]), -1),
    targets: halves(1, 0),
    signs: halves(-1, 1),
    allReal: fill(e, e.empty([n]), 1),
  };

  const updateDiscriminator = (batch: GanBatch, losses: Tensor, rate?: number): undefined => {
    const { channels, size } = d.module.config;
    e.mark('fakes');
    const fakes = e.scope(() => g.module.forward(new Tape(e), batch.zd, e.upload(batch.zdLabels, [n])));
    e.mark('D forward');
    const tape = new Tape(e, d.targets);
    const images = tape.apply(concat, [e.upload(batch.images, [n, channels, size, size]), fakes], { dim: 0 });
    const judged = d.module.forward(tape, images);
    // Means over both halves together are half the sum of the two means.
    const source = discriminatorSource(tape, objective, constants, judged.adversarial);
    const [logits, labels, weight] = objective.classOnFakes
      ? [judged.classes, Int32Array.from([...batch.labels, ...batch.zdLabels]), constants.two]
      : [tape.apply(slice, [judged.classes], { dim: 0, start: 0, length: n }), batch.labels, undefined];
    const classes = tape.apply(crossEntropy, [logits, e.upload(labels, [labels.length])], {});
    report(e, source, losses, 0, 2);
    report(e, classes, losses, 1, weight ? 2 : 1);
    e.mark('D backward');
    d.zeroGrad();
    tape.backwardAll([
      [source, constants.two],
      [classes, weight],
    ]);
    e.mark('D update');
    optimizerD.update(e, rate);
  };

  const updateGenerator = (batch: GanBatch, losses: Tensor, rate?: number): undefined => {
    e.mark('G forward');
    const tape = new Tape(e, g.targets);
    const labels = e.upload(batch.zgLabels, [n]);
    const judged = d.module.forward(tape, g.module.forward(tape, batch.zg, labels));
    const bce = objective.adversarial === 'bce';
    const source = bce
      ? tape.apply(bceWithLogits, [judged.adversarial, constants.allReal], {})
      : tape.apply(mean, [judged.adversarial], {});
    const classes = tape.apply(crossEntropy, [judged.classes, labels], {});
    report(e, source, losses, 2, bce ? 1 : -1);
    report(e, classes, losses, 3, 1);
    e.mark('G backward');
    g.zeroGrad();
    tape.backwardAll([[source, bce ? undefined : constants.minusOne], [classes]]);
    e.mark('G update');
    optimizerG.update(e, rate);
  };

  return {
    run(batch, rates = {}) {
      g.module.train();
      d.module.train();
      const losses = e.empty([LOSS_NAMES.length]);
      e.scope(() => updateDiscriminator(batch, losses, rates.d));
      e.scope(() => updateGenerator(batch, losses, rates.g));
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

/** losses[i] = scale * loss. */
function report(e: Engine, loss: Tensor, losses: Tensor, i: number, scale: number): void {
  stridedCopy(e, [], { tensor: loss, strides: [] }, { tensor: losses, strides: [], start: i }, scale);
}
