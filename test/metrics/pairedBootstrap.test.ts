import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/audio/random.js';
import { holm, pairedTest } from '../../src/metrics/pairedBootstrap.js';

const pairs = (differences: readonly number[], points = 5) => differences.map((difference) => ({ points, difference }));
const test = (differences: readonly number[]) => pairedTest(pairs(differences), createRandom(3))!;

describe('a paired test', () => {
  it('weighs recordings by their windows', () => {
    const unequal = [
      { points: 9, difference: 0 },
      { points: 1, difference: 1 },
    ];
    expect(pairedTest(unequal, createRandom(1))).toMatchObject({ mean: 0.1, recordings: 2, windows: 10 });
  });

  it('shows what almost all recordings agree on, and nothing where they do not', () => {
    const clear = test([1, 2, 1, 1, 0, 1, 2, 1, 1, 1]);
    expect(clear.mean).toBeCloseTo(11 / 50, 12);
    expect(clear.interval![0]).toBeGreaterThan(0);
    // Nine that differ, all to one side: 2 in 2^9.
    expect(clear.p).toBeCloseTo(2 / 512, 2);
    expect(clear.p).toBeLessThan(0.01);
    const open = test([1, -1, 2, -2, 0, 1, -1, 1, -1, 0]);
    expect(open.mean).toBe(0);
    expect(open.p).toBeGreaterThan(0.5);
    expect(test([0, 0, 0]).p).toBe(1);
  });

  it('has the chance of a sign test where all differ alike, however few they are', () => {
    expect(test([1, 1, 1]).p).toBeCloseTo(2 / 8, 1);
    expect(test([1, 1, 1, 1, 1, 1]).p).toBeCloseTo(2 / 64, 1);
    expect(test([1, 1, 1, 1, 1, -1]).p).toBeCloseTo(14 / 64, 1);
  });

  it('of one recording tells the difference, of none nothing', () => {
    expect(test([2])).toEqual({ mean: 0.4, recordings: 1, windows: 5 });
    expect(pairedTest([], createRandom(1))).toBeUndefined();
  });
});

it("Holm's correction multiplies the smallest chance by their number, and never puts a larger one below", () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});
