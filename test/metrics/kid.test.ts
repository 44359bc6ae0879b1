/** The kernel distance against numpy's, its subsets, and its weights. */
import { expect, it } from 'vitest';
import { createRandom } from '../../src/audio/random.js';
import { discrepancy, kernelDistance, kernels } from '../../src/metrics/kid.js';
import { subset, toPoints } from '../../src/metrics/points.js';
import { cases, drawn, pointsOf } from './fixtures.js';

it.each(cases)('is that of numpy: $name', (test) => {
  const [real, fake] = pointsOf(test);
  const distance = kernelDistance(real, fake, { random: createRandom(1) });
  expect(distance).toBeCloseTo(test.expected.kernel, 9);
});

it('of large sets is a mean over subsets, near that of the whole, and fixed by its seed', () => {
  const [a, b] = [drawn(3, 0, 300, 4), drawn(3, 1, 200, 4, 0.8, 0.3)];
  const whole = kernelDistance(a, b, { random: createRandom(1) });
  const options = { size: 60, subsets: 40 };
  const parts = kernelDistance(a, b, { ...options, random: createRandom(1) });
  expect(parts).not.toBe(whole);
  expect(Math.abs(parts - whole)).toBeLessThan(0.15 * whole);
  expect(kernelDistance(a, b, { ...options, random: createRandom(1) })).toBe(parts);
});

it('is unbiased: over many draws of one distribution its mean is 0, and some are below', () => {
  const values = Array.from({ length: 400 }, (_, i) =>
    kernelDistance(drawn(4, 2 * i, 10, 3), drawn(4, 2 * i + 1, 6, 3), { random: createRandom(1) }),
  );
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  expect(Math.abs(mean)).toBeLessThan((4 * deviation) / Math.sqrt(values.length));
  expect(Math.min(...values)).toBeLessThan(0);
});

it('counts points as often as weights say, and copies of one as no pair', () => {
  const [a, b] = [drawn(5, 0, 7, 3), drawn(5, 1, 5, 3)];
  const k = kernels(a, b);
  // A weight of 0 leaves a point out.
  const left = discrepancy(k, Float64Array.of(1, 1, 1, 0, 1, 1, 1), Float64Array.of(1, 1, 1, 1, 1));
  const without = kernels(subset(a, [0, 1, 2, 4, 5, 6]), b);
  expect(left).toBeCloseTo(discrepancy(without), 12);
  // Everything twice: the same pairs, so the same number.
  expect(discrepancy(k, new Float64Array(7).fill(2), new Float64Array(5).fill(2))).toBeCloseTo(discrepancy(k), 12);
  expect(discrepancy(k, Float64Array.of(7, 0, 0, 0, 0, 0, 0))).not.toSatisfy(Number.isFinite);
});

it('of sets that hold one point each over and over is their difference, and nothing where they are equal', () => {
  const black = toPoints(new Float64Array(12), 4);
  const random = createRandom(1);
  expect(kernelDistance(black, black, { random })).toBe(0);
  const grey = toPoints(new Float64Array(8).fill(1), 4);
  // k is 1 within black and across, and (4 / 4 + 1)^3 within grey.
  expect(kernelDistance(black, grey, { random })).toBe(1 + 8 - 2);
  expect(() => kernelDistance(black, subset(grey, [0]), { random })).toThrow(/needs 2 points or more/);
});
