/**
 * Mixup (Zhang et al. 2018): images of a batch are blended with each other, and so is what they are called.
 *
 *   x'[n] = m x[n] + (1 - m) x[p(n)],   loss = m CE(x', y) + (1 - m) CE(x', y[p])
 *
 * with one share m ~ Beta(alpha, alpha) and one order p a batch, both drawn from the seed and the step alone.
 */
import { createRandom, type Random } from '../audio/random.js';
import type { LabelledImages } from '../data/loader.js';

export interface Mixed extends LabelledImages {
  /** Of the first images in the blend. */
  readonly share: number;
  /** Classes of the second ones, [count]. */
  readonly others: Int32Array;
}

/** Blends a batch; `alpha` above 0: the larger, the more of a blend. */
export function mixup({ images, labels }: LabelledImages, alpha: number, seed: number, step: number): Mixed {
  const random = createRandom(seed, 'mixup', step);
  const share = symmetricBeta(alpha, random);
  const order = random.shuffle([...labels.keys()]);
  const length = images.length / labels.length;
  const blended = images.map((value, i) => {
    const n = Math.floor(i / length);
    return share * value + (1 - share) * images[order[n]! * length + (i - n * length)]!;
  });
  return { images: blended, labels, share, others: Int32Array.from(order, (n) => labels[n]!) };
}

/** A number of Beta(alpha, alpha), by two of Gamma(alpha). */
function symmetricBeta(alpha: number, random: Random): number {
  const [a, b] = [logGamma(alpha, random), logGamma(alpha, random)];
  // Of logarithms: with a small alpha both may be smaller than any number.
  return 1 / (1 + Math.exp(b - a));
}

/** The logarithm of a number of Gamma(shape) (Marsaglia and Tsang 2000; below 1 by way of shape + 1). */
function logGamma(shape: number, random: Random): number {
  if (shape < 1) return logGamma(shape + 1, random) + Math.log(1 - random.next()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
