import { describe, expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { bceWithLogits, crossEntropy } from '../../src/reference/loss.js';

describe('crossEntropy', () => {
  // Rows whose probabilities are 1/2, 1/4, 1/4 and 1/8, 1/8, 3/4.
  const logits = make([2, 3], [2, 1, 1, 1, 1, 6].map(Math.log));
  const labels = make([2], [1, 2]);

  it('is the mean surprise at the labels', () => {
    expect(crossEntropy([logits, labels]).loss.shape).toEqual([]);
    expect(crossEntropy([logits, labels]).loss.data[0]).toBeCloseTo((Math.log(4) + Math.log(4 / 3)) / 2, 14);
  });

  it('spreads a share of the target over all classes', () => {
    const ofAll = (Math.log(2) + 2 * Math.log(4) + 2 * Math.log(8) + Math.log(4 / 3)) / 3;
    const expected = (0.7 * (Math.log(4) + Math.log(4 / 3)) + 0.3 * ofAll) / 2;
    expect(crossEntropy([logits, labels], { labelSmoothing: 0.3 }).loss.data[0]).toBeCloseTo(expected, 14);
  });

  it('stays finite for huge logits', () => {
    expect(crossEntropy([make([1, 2], [1e6, -1e6]), make([1], [1])]).loss.data[0]).toBe(2e6);
  });

  it('leaves out what is impossible, unless a label or the smoothing asks for it', () => {
    const masked = make([1, 3], [0, Number.NEGATIVE_INFINITY, 0]);
    expect(crossEntropy([masked, make([1], [0])]).loss.data[0]).toBeCloseTo(Math.LN2, 14);
    expect(crossEntropy([masked, make([1], [1])]).loss.data[0]).toBe(Number.POSITIVE_INFINITY);
    expect(crossEntropy([masked, make([1], [0])], { labelSmoothing: 0.1 }).loss.data[0]).toBe(Number.POSITIVE_INFINITY);
  });

  it('refuses a label that is no class', () => {
    expect(() => crossEntropy([logits, make([2], [0, 3])])).toThrow('label 3 at position 1');
  });
});

it('bceWithLogits is the surprise at a coin of probability sigmoid(x)', () => {
  const logits = make([4], [Math.log(3), Math.log(3), 1000, -1000]);
  const targets = make([4], [1, 0.5, 0, 0]);
  const expected = (Math.log(4 / 3) + (Math.log(4 / 3) + Math.log(4)) / 2 + 1000 + 0) / 4;
  expect(bceWithLogits([logits, targets]).loss.data[0]).toBeCloseTo(expected, 12);
});
