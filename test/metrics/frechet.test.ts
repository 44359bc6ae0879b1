/** The Frechet distance against scipy's and in closed form. */
import { describe, expect, it } from 'vitest';
import { frechetDistance } from '../../src/metrics/frechet.js';
import { subset, toPoints } from '../../src/metrics/points.js';
import { cases, drawn, pointsOf } from './fixtures.js';

it.each(cases)('is that of scipy: $name', (test) => {
  const [real, fake] = pointsOf(test);
  const { frechet } = test.expected;
  expect(Math.abs(frechetDistance(real, fake) - frechet) / frechet).toBeLessThan(1e-6);
  expect(Math.abs(frechetDistance(fake, real) - frechet) / frechet).toBeLessThan(1e-6);
});

describe('in closed form', () => {
  it('of a set moved: the squared length of the move', () => {
    const points = drawn(1, 0, 50, 6);
    const moved = toPoints(
      points.values.map((value) => value + 2),
      6,
    );
    expect(frechetDistance(points, moved)).toBeCloseTo(6 * 4, 10);
  });

  it('of a set scaled by s about its mean: (1 - s)^2 times its variance, also with fewer points than dimensions', () => {
    for (const count of [5, 40]) {
      const points = drawn(1, 1, count, 12);
      const centre = points.values.slice(0, 12).fill(0);
      points.values.forEach((value, i) => {
        centre[i % 12]! += value / count;
      });
      const scaled = toPoints(
        points.values.map((value, i) => centre[i % 12]! + 3 * (value - centre[i % 12]!)),
        12,
      );
      const variance = points.values.reduce((sum, v, i) => sum + (v - centre[i % 12]!) ** 2, 0) / (count - 1);
      expect(frechetDistance(points, scaled)).toBeCloseTo(4 * variance, 9);
    }
  });
});

it('of a set and itself is nothing, whatever its rank', () => {
  const many = drawn(2, 0, 300, 20);
  const flat = toPoints(
    many.values.map((value, i) => (i % 20 < 3 ? value : i % 20 < 10 ? 7 : many.values[i - (i % 20)]!)),
    20,
  );
  for (const points of [many, flat, subset(many, [4, 9]), subset(many, [4, 4, 4])]) {
    expect(frechetDistance(points, points)).toBeLessThan(1e-11);
  }
  expect(frechetDistance(toPoints([0, 0, 0, 0], 2), toPoints([1, 0, 1, 0, 1, 0], 2))).toBe(1);
});

it('says what it cannot do', () => {
  expect(() => frechetDistance(drawn(1, 0, 1, 3), drawn(1, 0, 9, 3))).toThrow(/needs 2 points or more.*given 1 and 9/);
  expect(() => frechetDistance(drawn(1, 0, 4, 3), drawn(1, 0, 4, 2))).toThrow(/vectors of 3 and of 2/);
  expect(() => toPoints([1, 2, 3], 2)).toThrow(/3 values are not vectors of 2/);
  expect(() => toPoints([1, 2, 3, Number.NaN], 2)).toThrow(/vector 1 holds NaN/);
});
