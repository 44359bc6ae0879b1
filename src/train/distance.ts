/**
 * How far a generator's images lie from the training images, cheaply enough to ask every so many steps: by which the best
 * checkpoint is found. It is the kernel distance (metrics/kid.ts) of each class, the mean over the classes, in levels of
 * 8 x 8 pixels, shifted and scaled so that the training images have the mean 0 and the variance 1.
 *
 * The noise is always the same, so that two steps differ by their generators alone. `generate` and `evaluate` make images of
 * other noise: those by which a checkpoint was chosen do not judge it. It sees where in a window and at which frequencies there
 * is sound, and how that varies; it does not see detail. `lyrebird evaluate` looks closer.
 */
import { createRandom } from '../audio/random.js';
import { type ImageSource, sourceOf, subsetOf } from '../data/store.js';
import type { Engine } from '../kernel/engine.js';
import { kernelDistance } from '../metrics/kid.js';
import { deviation, mean, type Points, subset } from '../metrics/points.js';
import type { Generator } from '../models/generator.js';
import type { Network } from '../nn/network.js';
import { ofClass } from './kinds.js';
import { pixelsOf } from './pixels.js';
import { generateImages, MOST_PER_CLASS, noiseIndex } from './sample.js';

/** Side to which images are brought. */
const SIDE = 8;

/** Training images of a class, evenly chosen where there are more. */
const TRAINING = 128;

/** Images generated of a class, and of all classes: fewer of each where these are many. */
const GENERATED = 32;
const GENERATED_IN_ALL = 512;
const FEWEST = 4;

export interface DistanceGauge {
  /** Of the images that `g` makes; undefined if they are no numbers. 0 where both are drawn from one distribution, or below. */
  measure(g: Network<Generator>): Promise<number | undefined>;
}

export interface GaugeOptions {
  readonly engine: Engine;
  readonly train: ImageSource;
  readonly classes: number;
  /** Of the noise. */
  readonly seed: number;
  /** Images generated at a time. */
  readonly batch: number;
}

/** Reads the training images. */
export async function createGauge({ engine, train, classes, seed, batch }: GaugeOptions): Promise<DistanceGauge> {
  const chosen = Array.from({ length: classes }, (_, label) => someOf(ofClass(train, label)));
  const levels = await pixelsOf(subsetOf(train, chosen.flat()), SIDE);
  const [centre, scale] = [mean(levels), deviation(levels)];
  const standard = ({ count, dimensions, values }: Points): Points => ({
    count,
    dimensions,
    values: values.map((value, i) => (value - centre[i % dimensions]!) / scale),
  });
  const training = byClass(
    standard(levels),
    chosen.map(({ length }) => length),
  );

  const each = Math.min(GENERATED, Math.max(FEWEST, Math.floor(GENERATED_IN_ALL / classes)));
  const labels = Int32Array.from({ length: each * classes }, (_, i) => Math.floor(i / each));
  const indices = [...labels].map((label, i) => noiseIndex(label, MOST_PER_CLASS - 1 - (i % each)));
  const random = createRandom(seed, 'distance');
  return {
    async measure(g) {
      const images = await generateImages(engine, g, labels, { seed, indices, batch });
      if (!images.every(Number.isFinite)) return undefined;
      const points = standard(await pixelsOf(sourceOf(images, labels, train.size), SIDE));
      const generated = byClass(points, new Array<number>(classes).fill(each));
      const distances = training.map((own, label) => kernelDistance(own, generated[label]!, { random }));
      return distances.reduce((sum, distance) => sum + distance, 0) / classes;
    },
  };
}

/** At most TRAINING of them, evenly chosen; one alone stands twice, for the distance is of pairs. */
function someOf(numbers: readonly number[]): number[] {
  const count = Math.min(TRAINING, numbers.length);
  const some = Array.from({ length: count }, (_, i) => numbers[Math.floor((i * numbers.length) / count)]!);
  return count === 1 ? [...some, ...some] : some;
}

/** Points that lie class by class, so many of each. */
function byClass(points: Points, counts: readonly number[]): Points[] {
  let first = 0;
  return counts.map((count) => {
    const start = first;
    first += count;
    return subset(
      points,
      Array.from({ length: count }, (_, i) => start + i),
    );
  });
}
