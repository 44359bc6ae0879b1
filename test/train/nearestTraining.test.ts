/** The nearest training images: copies are found, new images are not taken for copies, and the sheet has its rows. */
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { sourceOf } from '../../src/data/store.js';
import { singles } from '../../src/metrics/bootstrap.js';
import { cpuSearch } from '../../src/metrics/neighbours.js';
import { toPoints } from '../../src/metrics/points.js';
import { uniform } from '../../src/reference/random.js';
import { type Kind, someOf } from '../../src/train/kinds.js';
import { nearestTraining } from '../../src/train/nearestTraining.js';

const SIZE = 64;
const CLASSES = ['wren', 'robin'];

/** Noise, of two classes; its features are its first pixels. */
function noise(seed: number, count: number): Kind {
  const images = Float32Array.from(uniform(seed, 0, count * SIZE * SIZE), (u) => 2 * u - 1);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const features = [...labels.keys()].flatMap((i) => [...images.subarray(i * SIZE * SIZE, i * SIZE * SIZE + 5)]);
  return {
    source: sourceOf(images, labels, SIZE),
    labels,
    units: singles(count),
    points: toPoints(features, 5),
  };
}

const train = noise(1, 30);
const heldOut = noise(2, 60);
const measure = (generated: Kind) =>
  nearestTraining({ train, heldOut, generated }, { classes: CLASSES, search: cpuSearch, seed: 1 });

it('finds copies, by features and by pixels', async () => {
  const { neighbours } = await measure(someOf(train, [3, 4, 8, 9]));
  for (const { nearer, generated, heldOut: others } of Object.values(neighbours)) {
    expect(nearer).toEqual({ value: 1, interval: [1, 1] });
    expect(generated).toEqual([0, 0, 0, 0]);
    expect(others).toHaveLength(60);
    expect(Math.min(...others)).toBeGreaterThan(0);
  }
});

it('finds new images as far away as held-out ones', async () => {
  const { neighbours } = await measure(noise(3, 60));
  for (const { nearer } of Object.values(neighbours)) {
    const { value, interval } = nearer as { value: number; interval: [number, number] };
    expect(Math.abs(value - 0.5)).toBeLessThan(0.15);
    expect(interval[0]).toBeLessThan(value);
    expect(interval[1]).toBeGreaterThan(value);
  }
  // Means of blocks of 2 x 2 pixels, each uniform in [0, 1]: their differences have a deviation of sqrt(1 / 12 / 4 * 2).
  expect(neighbours.pixels.generated[0]!).toBeGreaterThan(0.19);
  expect(neighbours.pixels.generated[0]!).toBeLessThan(0.21);
});

it('draws two rows a class, one of a class with one image, none of a class without', async () => {
  const rowsOf = async (generated: Kind): Promise<number> => {
    const { height } = await sharp((await measure(generated)).sheet).metadata();
    return Math.floor((height - 20) / (2 * SIZE));
  };
  expect(await rowsOf(someOf(train, [0, 1, 2, 3, 4, 5]))).toBe(4);
  expect(await rowsOf(someOf(train, [0, 1, 2, 4]))).toBe(3);
  expect(await rowsOf(someOf(train, [0]))).toBe(1);
});
