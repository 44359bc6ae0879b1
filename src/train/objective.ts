/**
 * What the two networks of an ACGAN are trained for. Each has two losses: of the judgement, real or generated, and of the
 * class that is named. To add one, write it as a record of SOURCES or CLASSES and put its name into the list above them.
 *
 * Generated images follow the real ones in the discriminator's batch. A mean over both halves together is half the sum of
 * the two means, hence the weights of 2.
 */
import type { Tape } from '../autograd/tape.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { add, fill, mul, sub } from '../ops/elementwise.js';
import { bceWithLogits, crossEntropy } from '../ops/loss.js';
import { mean } from '../ops/reduce.js';
import { slice } from '../ops/shape.js';

/** bce: binary cross entropy (Odena et al. 2017). hinge: Miyato et al. 2018, after Lim and Ye 2017. */
export const ADVERSARIAL = ['bce', 'hinge'] as const;

/**
 * ac: the discriminator names the class of an image, be it real or not (Odena et al. 2017). adc: it has two classes for each,
 * real and generated, and the generator goes from the one to the other (Hou et al. 2022, "Conditional GANs with auxiliary
 * discriminative classifier").
 */
export const CLASS_HEADS = ['ac', 'adc'] as const;

export interface GanObjective {
  /** Of the judgement real or generated. */
  readonly adversarial: (typeof ADVERSARIAL)[number];
  /** bce: what the discriminator is to say of a real image; below 1 it is smoothed on one side (Salimans et al. 2016). Default 1. */
  readonly realTarget?: number;
  /** Default ac. The discriminator must have been made for it. */
  readonly classHead?: (typeof CLASS_HEADS)[number];
  /** Whether the discriminator's class loss counts generated images too; with adc it always does. */
  readonly classOnFakes: boolean;
}

/** All weights that losses have. */
export const LOSS_WEIGHTS = [1, 2, -1] as const;

/** The loss weight * value; value is a tensor []. */
export type Loss = { readonly value: Tensor; readonly weight: (typeof LOSS_WEIGHTS)[number] };

interface Source {
  /** Of logits [2 N]. */
  discriminator(tape: Tape, logits: Tensor): Loss;
  /** Of logits [N] of generated images. */
  generator(tape: Tape, logits: Tensor): Loss;
  destroy(): void;
}

interface Classes {
  /** What the discriminator is to name, given the classes of real and generated images: `targets` of its loss. */
  targets(real: Int32Array, generated: Int32Array): Int32Array;
  /** Of logits [2 N, ...]. */
  discriminator(tape: Tape, logits: Tensor, targets: Tensor): Loss;
  /** What the generator's images are not to be taken for: `foils` of its loss, if it looks at any. */
  foils?(generated: Int32Array): Int32Array;
  /** Of logits [N, ...] of generated images of the classes `labels` [N]. */
  generator(tape: Tape, logits: Tensor, labels: Tensor, foils: Tensor | undefined): Loss;
}

export interface Objective {
  readonly source: Source;
  readonly classes: Classes;
}

/** Losses for batches of `n` real and as many generated images of so many classes. Make it outside of all scopes. */
export function createObjective(e: Engine, objective: GanObjective, n: number, classes: number): Objective {
  return {
    source: SOURCES[objective.adversarial](e, objective, n),
    classes: CLASSES[objective.classHead ?? 'ac'](objective, n, classes),
  };
}

const SOURCES: Readonly<
  Record<GanObjective['adversarial'], (e: Engine, objective: GanObjective, n: number) => Source>
> = {
  bce(e, { realTarget = 1 }, n) {
    const targets = halfAndHalf(e, n, realTarget, 0);
    const allReal = fill(e, e.empty([n]), 1);
    return {
      discriminator: (tape, logits) => ({ value: tape.apply(bceWithLogits, [logits, targets], {}), weight: 2 }),
      generator: (tape, logits) => ({ value: tape.apply(bceWithLogits, [logits, allReal], {}), weight: 1 }),
      destroy: () => release(e, [targets, allReal]),
    };
  },

  // D: mean relu(1 - logit) of real images + mean relu(1 + logit) of generated ones. G: -mean logit.
  hinge(e, _objective, n) {
    const signs = halfAndHalf(e, n, -1, 1);
    const one = fill(e, e.empty([]), 1);
    return {
      discriminator(tape, logits) {
        const margins = tape.apply(mul, [logits, signs], {});
        return { value: tape.apply(mean, [tape.apply(add, [margins, one], { activation: 'relu' })], {}), weight: 2 };
      },
      generator: (tape, logits) => ({ value: tape.apply(mean, [logits], {}), weight: -1 }),
      destroy: () => release(e, [signs, one]),
    };
  },
};

const CLASSES: Readonly<
  Record<NonNullable<GanObjective['classHead']>, (objective: GanObjective, n: number, classes: number) => Classes>
> = {
  ac: ({ classOnFakes }, n) => ({
    targets: (real, generated) => (classOnFakes ? Int32Array.of(...real, ...generated) : real),
    discriminator(tape, logits, targets) {
      if (classOnFakes) return { value: tape.apply(crossEntropy, [logits, targets], {}), weight: 2 };
      const ofReal = tape.apply(slice, [logits], { dim: 0, start: 0, length: n });
      return { value: tape.apply(crossEntropy, [ofReal, targets], {}), weight: 1 };
    },
    generator: (tape, logits, labels) => ({ value: tape.apply(crossEntropy, [logits, labels], {}), weight: 1 }),
  }),

  // With C+ and C- what the discriminator gives a class as real and as generated: D learns to name the one of real images and
  // the other of generated ones; G's loss is -mean(log C+(k) - log C-(k)).
  adc: (_objective, _n, classes) => {
    const asGenerated = (labels: Int32Array): Int32Array => labels.map((label) => classes + label);
    return {
      targets: (real, generated) => Int32Array.of(...real, ...asGenerated(generated)),
      discriminator: (tape, logits, targets) => ({
        value: tape.apply(crossEntropy, [logits, targets], {}),
        weight: 2,
      }),
      foils: asGenerated,
      generator(tape, logits, labels, foils) {
        const [away, towards] = [foils!, labels].map((named) => tape.apply(crossEntropy, [logits, named], {}));
        return { value: tape.apply(sub, [towards!, away!], {}), weight: 1 };
      },
    };
  },
};

/** [2 N]: one value for the real images, another for the generated ones. */
const halfAndHalf = (e: Engine, n: number, real: number, generated: number): Tensor =>
  e.upload(
    Float32Array.from({ length: 2 * n }, (_, i) => (i < n ? real : generated)),
    [2 * n],
  );

function release(e: Engine, tensors: readonly Tensor[]): void {
  for (const tensor of tensors) e.release(tensor);
}
