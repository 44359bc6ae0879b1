/**
 * What a training step draws. Everything random about step t comes from the seed and t alone, so a resumed run draws what it
 * would have drawn.
 */
import { createRandom } from '../audio/random.js';
import type { LabelledImages } from '../data/loader.js';
import type { Engine } from '../kernel/engine.js';
import { randomNormal } from '../ops/random.js';
import { uniform } from '../reference/random.js';
import type { TrainConfig } from './config.js';
import type { GanBatch } from './ganStep.js';

/** Streams of the seed, above those of the weights: noise and labels of each update, one after another. */
const STEP_STREAM = 2 ** 24;

/** The batch of step t, with the real images of each of the discriminator's updates. */
export function drawBatch(
  e: Engine,
  config: TrainConfig,
  classes: number,
  t: number,
  reals: readonly LabelledImages[],
): GanBatch {
  const { batch, latent, seed, balancedFakes } = config;
  const first = STEP_STREAM + 2 * (reals.length + 1) * t;
  const noise = (update: number) => randomNormal(e, [batch, latent], { seed, stream: first + 2 * update });
  const labels = (update: number): Int32Array => {
    const stream = first + 2 * update + 1;
    return balancedFakes ? evenLabels(seed, stream, batch, classes) : randomLabels(seed, stream, batch, classes);
  };
  const [seen, ...further] = reals.map(({ images, labels: own }, update) => ({
    images,
    labels: own,
    zd: noise(update),
    zdLabels: labels(update),
  }));
  return { ...seen!, step: t, further, zg: noise(reals.length), zgLabels: labels(reals.length) };
}

const randomLabels = (seed: number, stream: number, count: number, classes: number): Int32Array =>
  Int32Array.from(uniform(seed, stream, count), (u) => Math.floor(u * classes));

/** Each class equally often, or once more: which ones, is drawn. */
export function evenLabels(seed: number, stream: number, count: number, classes: number): Int32Array {
  const order = createRandom(seed, 'labels', stream).shuffle(Array.from({ length: classes }, (_, k) => k));
  return Int32Array.from({ length: count }, (_, i) => order[i % classes]!);
}
