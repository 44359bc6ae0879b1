import { describe, expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { batchNorm } from '../../src/reference/normalization.js';

describe('batchNorm', () => {
  // Two channels: values 1, 3 (mean 2, variance 1) and 10, 16 (mean 13, variance 9).
  const x = make([2, 2], [1, 10, 3, 16]);
  const parameters = [make([2], [2, 1]), make([2], [0.5, 0]), make([2], [1, 0]), make([2], [4, 1])];

  it('uses the batch and its biased variance in training, and keeps the unbiased one', () => {
    const { y, runningMean, runningVar } = batchNorm([x, ...parameters], { training: true, momentum: 0.25, eps: 0 });
    expect(y).toEqual(make([2, 2], [-1.5, -1, 2.5, 1]));
    expect(runningMean).toEqual(make([2], [0.75 + 0.5, 0.25 * 13]));
    expect(runningVar).toEqual(make([2], [3 + 0.25 * 2, 0.75 + 0.25 * 18]));
    expect(parameters[2].data, 'inputs stay').toEqual(Float64Array.of(1, 0));
  });

  it('uses the running statistics in evaluation, and leaves them', () => {
    const { y, runningMean, runningVar } = batchNorm([x, ...parameters], { training: false, eps: 0 });
    expect(y).toEqual(make([2, 2], [0.5, 10, 2.5, 16]));
    expect([runningMean, runningVar]).toEqual([parameters[2], parameters[3]]);
  });

  it('takes eps 1e-5 and momentum 0.1 when they are left out', () => {
    const constant = make([3, 1], [0.01, 0, -0.01]);
    const unit = [make([1], [1]), make([1], [0]), make([1], [10]), make([1], [1])];
    const { y, runningMean } = batchNorm([constant, ...unit], { training: true });
    expect(y.data[0]).toBeCloseTo(0.01 / Math.sqrt(2e-4 / 3 + 1e-5), 12);
    expect(runningMean.data[0]).toBeCloseTo(9, 12);
  });

  it('takes statistics over batch and space in ranks 3 and 4, then the activation', () => {
    const values = [1, 3, 10, 16, 1, 3, 10, 16];
    for (const shape of [
      [2, 2, 2],
      [2, 2, 1, 2],
      [2, 2, 2, 1],
    ]) {
      const { y } = batchNorm([make(shape, values), ...parameters], { training: true, eps: 0, activation: 'relu' });
      expect(y).toEqual(make(shape, [0, 2.5, 0, 1, 0, 2.5, 0, 1]));
    }
  });

  it('refuses to train on one value a channel, and parameters of another size', () => {
    expect(() => batchNorm([make([1, 2]), ...parameters], { training: true })).toThrow('more than one value');
    expect(() => batchNorm([make([2, 3]), ...parameters], { training: true })).toThrow('channels');
  });
});
