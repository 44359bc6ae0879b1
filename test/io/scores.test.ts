import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialTail, judge, wilsonInterval } from '../../src/io/report/scores.js';

describe('binomialTail', () => {
  it('agrees with sums by hand', () => {
    expect(binomialTail(3, 3, 0.5)).toBeCloseTo(1 / 8, 12);
    expect(binomialTail(2, 3, 0.5)).toBeCloseTo(1 / 2, 12);
    expect(binomialTail(1, 4, 0.1)).toBeCloseTo(1 - 0.9 ** 4, 12);
    expect(binomialTail(0, 9, 0.3)).toBe(1);
    expect(binomialTail(5, 5, 1)).toBe(1);
    expect(binomialTail(1, 5, 0)).toBe(0);
  });

  it('falls with every further success, and complements the other tail', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (trials, p) => {
        for (let k = 1; k <= trials; k++) {
          expect(binomialTail(k, trials, p)).toBeLessThanOrEqual(binomialTail(k - 1, trials, p) + 1e-9);
          const others = binomialTail(trials - k + 1, trials, 1 - p);
          expect(binomialTail(k, trials, p) + others).toBeCloseTo(1, 8);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('does not lose itself in small terms', () => {
    expect(binomialTail(9000, 100_000, 0.1)).toBeCloseTo(1, 8);
    expect(binomialTail(50_000, 100_000, 0.1)).toBe(0);
  });
});

describe('wilsonInterval', () => {
  it('gives published values', () => {
    // Newcombe 1998, table I: 81/263 and 0/20.
    const [low, high] = wilsonInterval(81, 263);
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(['0.2553', '0.3662']);
    const [none, some] = wilsonInterval(0, 20);
    expect([none, some.toFixed(4)]).toEqual([0, '0.1611']);
  });
});

describe('judge', () => {
  const confusion = (right: number, wrong: number) => [
    [right, wrong],
    [wrong, right],
  ];

  it('calls only what guessing would hardly reach above chance', () => {
    expect(judge({ correct: 60, total: 100, confusion: confusion(30, 20) })!.isAboveChance).toBe(false);
    expect(judge({ correct: 64, total: 100, confusion: confusion(32, 18) })!.isAboveChance).toBe(true);
    expect(judge({ correct: 4, total: 4, confusion: confusion(2, 0) })!.isAboveChance).toBe(false);
  });

  it('takes naming the commonest class for chance', () => {
    const always = judge({
      correct: 80,
      total: 100,
      confusion: [
        [80, 0],
        [20, 0],
      ],
    })!;
    expect(always.chance).toBe(0.8);
    expect(always.isAboveChance).toBe(false);
  });

  it('finds nothing above chance where there is one class, and nothing at all where there is no image', () => {
    expect(judge({ correct: 50, total: 50, confusion: [[50]] })).toMatchObject({ chance: 1, isAboveChance: false });
    expect(judge({ correct: 0, total: 0, confusion: confusion(0, 0) })).toBeUndefined();
  });
});
