/** Student's t against the tables that everyone prints. */
import { describe, expect, it } from 'vitest';
import { pairedDifference, spreadOf, studentQuantile } from '../../src/metrics/paired.js';

describe('studentQuantile', () => {
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [5, 2.571],
    [9, 2.262],
    [10, 2.228],
    [29, 2.045],
    [120, 1.98],
  ])('of %d degrees of freedom', (degrees, expected) => {
    expect(studentQuantile(degrees)).toBeCloseTo(expected, 3);
  });

  it('of another chance', () => {
    expect(studentQuantile(4, 0.99)).toBeCloseTo(4.604, 3);
  });
});

describe('spreadOf', () => {
  it('has the deviation of count - 1', () => {
    expect(spreadOf([1, 2, 3, 4])).toEqual({ mean: 2.5, deviation: Math.sqrt(5 / 3), count: 4 });
  });

  it('has none of one value, and refuses no values', () => {
    expect(spreadOf([7])).toEqual({ mean: 7, count: 1 });
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('pairedDifference', () => {
  it('forgets what the pairs share', () => {
    const { mean, interval, count } = pairedDifference([101, 202, 303], [100, 200, 300]);
    expect({ mean, count }).toEqual({ mean: 2, count: 3 });
    expect(interval![0]).toBeCloseTo(2 - 4.30265 / Math.sqrt(3), 4);
    expect(interval![1]).toBeCloseTo(2 + 4.30265 / Math.sqrt(3), 4);
  });

  it('of one pair has no interval', () => {
    expect(pairedDifference([3], [1])).toEqual({ mean: 2, count: 1 });
  });

  it('of pairs that all differ by the same has no interval, which would be beyond doubt by accident', () => {
    // 0.3 - 0.2 and 0.2 - 0.1 are apart by rounding alone.
    const { interval, mean } = pairedDifference([0.3, 0.2], [0.2, 0.1]);
    expect(interval).toBeUndefined();
    expect(mean).toBeCloseTo(0.1, 12);
    expect(pairedDifference([0, 0, 0], [0, 0, 0])).toEqual({ mean: 0, count: 3 });
  });

  it('refuses what are no pairs', () => {
    expect(() => pairedDifference([1, 2], [1])).toThrow(/no pairs/);
  });
});
