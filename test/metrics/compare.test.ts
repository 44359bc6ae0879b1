/** All numbers of one set against another: what they are, where there are too few, and that none is NaN. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/audio/random.js';
import type { Comparison, Measure } from '../../src/io/evaluation.js';
import { singles } from '../../src/metrics/bootstrap.js';
import { compare, type Sample } from '../../src/metrics/compare.js';
import { halve } from '../../src/metrics/halves.js';
import { chanceSmaller } from '../../src/metrics/memorising.js';
import { cpuSearch } from '../../src/metrics/neighbours.js';
import { type Points, toPoints } from '../../src/metrics/points.js';
import { cases, drawn, type ExpectedCase, pointsOf } from './fixtures.js';

const sample = (points: Points): Sample => ({ points, units: singles(points.count) });
const OPTIONS = { k: 3, seed: 1 };

/** The metrics alone. */
function measures({ reference: _r, compared: _c, ...rest }: Comparison): [string, Measure][] {
  return Object.entries(rest);
}

describe('compare', () => {
  it('gives the numbers of the metrics, each within its interval', async () => {
    const test = cases[1] as ExpectedCase;
    const [real, fake] = pointsOf(test);
    const comparison = await compare(cpuSearch, sample(real), sample(fake), { k: test.k, seed: 1 });
    expect(comparison).toMatchObject({ reference: 400, compared: 300 });
    for (const [name, measure] of measures(comparison)) {
      if (!('value' in measure)) throw new Error(`${name}: ${measure.reason}`);
      expect(measure.value, name).toBeCloseTo(test.expected[name as keyof ExpectedCase['expected']], 6);
      const [low, high] = measure.interval!;
      expect(low, name).toBeLessThanOrEqual(measure.value);
      expect(high, name).toBeGreaterThanOrEqual(measure.value);
      expect(high - low, name).toBeGreaterThan(0);
      expect(high - low, name).toBeLessThan(0.3 * Math.abs(measure.value) + 0.1);
    }
  });

  it('is the same twice, and has other intervals for another seed', async () => {
    const [a, b] = [sample(drawn(1, 0, 30, 4)), sample(drawn(1, 1, 20, 4))];
    const once = await compare(cpuSearch, a, b, OPTIONS);
    expect(await compare(cpuSearch, a, b, OPTIONS)).toEqual(once);
    expect(await compare(cpuSearch, a, b, { ...OPTIONS, seed: 2 })).not.toEqual(once);
  });

  it('says why there is no number', async () => {
    const many = sample(drawn(1, 0, 30, 4));
    const three = await compare(cpuSearch, many, sample(drawn(1, 1, 3, 4)), OPTIONS);
    expect(three.frechet).toHaveProperty('value');
    expect(three.precision).toEqual({ reason: 'takes 4 images or more of each kind, and there are 30 and 3' });
    const none = await compare(cpuSearch, many, sample(toPoints([], 4)), OPTIONS);
    for (const [, measure] of measures(none)) expect(measure).toHaveProperty('reason');
    expect(none.kernel).toEqual({ reason: 'takes 2 images or more of each kind, and there are 30 and 0' });
  });

  it('of points that are all alike is without NaN, and perfect', async () => {
    const same = sample(toPoints(new Float64Array(40).fill(2), 4));
    const comparison = await compare(cpuSearch, same, same, OPTIONS);
    expect(comparison.frechet).toEqual({ value: 0, interval: [0, 0] });
    expect(comparison.kernel).toMatchObject({ value: 0, interval: [0, 0] });
    expect([comparison.precision, comparison.recall, comparison.coverage]).toEqual(
      [1, 2, 3].map(() => ({ value: 1, interval: [1, 1] })),
    );
    for (const [, measure] of measures(comparison)) expect(JSON.stringify(measure)).not.toContain('null');
  });

  it('has no interval where all points of a kind belong together', async () => {
    const real = sample(drawn(1, 0, 30, 4));
    const { frechet, precision, recall } = await compare(
      cpuSearch,
      real,
      { points: drawn(1, 1, 10, 4), units: new Array<number>(10).fill(0) },
      OPTIONS,
    );
    expect([frechet, precision].map((measure) => Object.keys(measure))).toEqual([['value'], ['value']]);
    expect(recall).toHaveProperty('interval');
  });
});

describe('halves', () => {
  it('have whole recordings, and as many images of each class as these allow', () => {
    const labels = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1);
    const units = [5, 5, 5, 6, 7, 7, 8, 8, 9, 9];
    const { first, second, cut } = halve(labels, units, createRandom(1));
    expect([...first, ...second].sort((a, b) => a - b)).toEqual([...labels.keys()]);
    const of = (half: number[]) => new Set(half.map((i) => units[i]));
    for (const unit of of(first)) expect(of(second)).not.toContain(unit);
    for (const half of [first, second]) {
      expect(half.filter((i) => labels[i] === 0)).toHaveLength(3);
      expect(half.filter((i) => labels[i] === 1)).toHaveLength(2);
    }
    expect(cut).toEqual([]);
  });

  it('cut a single recording, and say so; a single image stays whole', () => {
    const { first, second, cut } = halve(Int32Array.of(3, 3, 3, 3, 4), [1, 1, 1, 1, 2], createRandom(1));
    expect(cut).toEqual([3]);
    expect(first.filter((i) => i < 4)).toHaveLength(2);
    expect(second.filter((i) => i < 4)).toHaveLength(2);
    expect([...first, ...second]).toHaveLength(5);
  });
});

it('the chance to be smaller counts pairs, and ties by half', () => {
  expect(chanceSmaller(Float64Array.of(1, 2), Float64Array.of(3, 4, 5))).toBe(1);
  expect(chanceSmaller(Float64Array.of(7), Float64Array.of(3, 4))).toBe(0);
  expect(chanceSmaller(Float64Array.of(1, 3), Float64Array.of(3, 2))).toBe(2.5 / 4);
  const [a, b] = [drawn(1, 0, 50, 1).values, drawn(1, 1, 60, 1).values];
  const pairs = a.reduce((sum, x) => sum + b.filter((y) => x < y).length, 0);
  expect(chanceSmaller(a, b)).toBeCloseTo(pairs / 3000, 12);
});
