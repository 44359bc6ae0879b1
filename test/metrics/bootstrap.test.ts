/** Intervals: their width, units drawn as wholes, and when there is none. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/audio/random.js';
import { bootstrap, bootstrapMean, bootstrapShare, countsOf, quantile, singles } from '../../src/metrics/bootstrap.js';
import { normal } from '../../src/reference/random.js';

const width = ([low, high]: readonly [number, number]): number => high - low;

describe('the interval of a mean', () => {
  it('is as wide as theory has it, and holds the mean', () => {
    const values = normal(1, 0, 400);
    const interval = bootstrapMean(values, singles(400), { random: createRandom(1) })!;
    const mean = values.reduce((sum, v) => sum + v, 0) / 400;
    expect(interval[0]).toBeLessThan(mean);
    expect(interval[1]).toBeGreaterThan(mean);
    expect(Math.abs(width(interval) / (2 * 1.96 * 0.05) - 1)).toBeLessThan(0.15);
  });

  it('is wider by the root of their number where equal values come in units', () => {
    const values = Float64Array.from({ length: 400 }, (_, i) => normal(1, 0, 40)[Math.floor(i / 10)]!);
    const units = values.map((_, i) => Math.floor(i / 10));
    const together = bootstrapMean(values, units, { random: createRandom(1) })!;
    const apart = bootstrapMean(values, singles(400), { random: createRandom(1) })!;
    expect(width(together) / width(apart)).toBeGreaterThan(2.5);
    expect(width(together) / width(apart)).toBeLessThan(4);
  });

  it('is fixed by its seed', () => {
    const values = normal(1, 0, 20);
    const once = (seed: number) => bootstrapMean(values, singles(20), { random: createRandom(seed) });
    expect(once(1)).toEqual(once(1));
    expect(once(2)).not.toEqual(once(1));
  });

  it('is undefined of a single unit', () => {
    expect(bootstrapMean(Float64Array.of(1, 2, 3), [5, 5, 5], { random: createRandom(1) })).toBeUndefined();
  });
});

describe('the interval of a share', () => {
  const share = (hits: number[], units: number[]) =>
    bootstrapShare(Float64Array.from(hits), units, { random: createRandom(1) });

  it('is that of the mean where hits differ', () => {
    const hits = [1, 0, 1, 1];
    expect(share(hits, [0, 1, 2, 3])).toEqual(
      bootstrapMean(Float64Array.from(hits), singles(4), { random: createRandom(1) }),
    );
  });

  it('is exact where all hit or none does: of two units as of two tries, however many points they have', () => {
    const [low, high] = share([1, 1, 1, 1], [0, 0, 1, 1])!;
    expect(low ** 2).toBeCloseTo(0.025, 12); // with this share, two hits of two tries are as rare as that
    expect(high).toBe(1);
    expect(share([0, 0], [0, 1])).toEqual([0, 1 - low]);
    expect(share([1, 1], [0, 0])).toBeUndefined();
  });
});

it('draws each sample by itself, all points of a unit or none', () => {
  bootstrap(
    [[1, 2, 1, 3], singles(3)],
    ([a, b]) => {
      const counts = countsOf(a!, 4);
      expect(counts[0]).toBe(counts[2]);
      expect(counts[0]! + counts[1]! + counts[3]!).toBe(3);
      expect(b).toHaveLength(3);
      return 0;
    },
    { random: createRandom(1), replicates: 50 },
  );
});

it('can be moved to lie about a value', () => {
  const options = { random: createRandom(1), replicates: 200, centre: 10 };
  const [low, high] = bootstrap([singles(30)], ([drawn]) => new Set(drawn).size, options)!;
  expect(low).toBeLessThan(10);
  expect(high).toBeGreaterThan(10);
  expect(high - low).toBeLessThan(15);
});

it('is undefined where too many draws give no number', () => {
  const statistic = ([drawn]: readonly Int32Array[]) => (drawn!.includes(0) ? 1 : Number.NaN);
  expect(bootstrap([singles(5)], statistic, { random: createRandom(1) })).toBeUndefined();
});

it('finds quantiles between values', () => {
  expect([0, 0.25, 0.5, 1].map((share) => quantile([4, 1, 3, 2], share))).toEqual([1, 1.75, 2.5, 4]);
  expect(quantile([7], 0.3)).toBe(7);
  expect(() => quantile([], 0.5)).toThrow(/no values/);
});
