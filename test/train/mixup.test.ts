/** Mixup: what is blended with what, and how much. */
import { expect, it } from 'vitest';
import { mixup } from '../../src/train/mixup.js';

const labels = Int32Array.from({ length: 6 }, (_, i) => i);
const images = Float32Array.from({ length: 12 }, (_, i) => 10 * Math.floor(i / 2) + (i % 2));

it('blends each image with the one whose class it takes', () => {
  const mixed = mixup({ images, labels }, 1, 7, 3);
  labels.forEach((label, n) => {
    for (const p of [0, 1]) {
      const expected = mixed.share * images[2 * label + p]! + (1 - mixed.share) * images[2 * mixed.others[n]! + p]!;
      expect(mixed.images[2 * n + p]).toBeCloseTo(expected, 5);
    }
  });
  expect([...mixed.others].sort()).toEqual([...labels]);
  expect(mixup({ images, labels }, 1, 7, 3)).toEqual(mixed);
  expect(mixup({ images, labels }, 1, 7, 4).share).not.toBe(mixed.share);
});

it.each([0.2, 1, 4])('draws shares of Beta(%f, %f)', (alpha) => {
  const shares = Array.from({ length: 4000 }, (_, step) => mixup({ images, labels }, alpha, 1, step).share);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
  expect(mean).toBeCloseTo(0.5, 1);
  // Of Beta(a, a) it is 1 / (4 (2 a + 1)).
  expect(variance * 4 * (2 * alpha + 1)).toBeGreaterThan(0.93);
  expect(variance * 4 * (2 * alpha + 1)).toBeLessThan(1.07);
});
