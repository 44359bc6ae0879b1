import { describe, expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { spectralNorm, spectralNormFixed } from '../../src/reference/spectralNorm.js';

describe('spectralNorm', () => {
  // W = [[0, 3], [2, 0]] has singular values 3 (u = e0, v = e1) and 2.
  const weight = make([2, 2, 1], [0, 3, 2, 0]);

  it('divides by the largest singular value once the iteration has converged', () => {
    const start = make([2], [Math.SQRT1_2, Math.SQRT1_2]);
    const result = spectralNorm([weight, start, make([2], [1, 0])], { iterations: 60 });
    expect(result.weight.shape).toEqual([2, 2, 1]);
    [0, 1, 2 / 3, 0].forEach((expected, i) => {
      expect(result.weight.data[i]).toBeCloseTo(expected, 14);
    });
    expect(result.u.data[0]).toBeCloseTo(1, 14);
    expect(result.v.data[1]).toBeCloseTo(1, 14);
  });

  it('updates v from u first, then u from the new v', () => {
    // W^T u = [1.6, 1.8] for u = [0.6, 0.8]; then W v is [3 * 1.8, 2 * 1.6] / |W^T u|.
    const { u, v } = spectralNorm([weight, make([2], [0.6, 0.8]), make([2], [1, 0])], { iterations: 1 });
    expect(v.data[0] / v.data[1]).toBeCloseTo(1.6 / 1.8, 14);
    expect(u.data[0] / u.data[1]).toBeCloseTo(5.4 / 3.2, 14);
    expect(Math.hypot(...u.data)).toBeCloseTo(1, 14);
    expect(Math.hypot(...v.data)).toBeCloseTo(1, 14);
  });

  it('takes u and v as they are without iterations', () => {
    const [u, v] = [make([2], [0, 1]), make([2], [1, 0])];
    const expected = make([2, 2, 1], [0, 1.5, 1, 0]);
    expect(spectralNorm([weight, u, v], { iterations: 0 })).toEqual({ weight: expected, u, v });
    expect(spectralNormFixed([weight, u, v]).weight).toEqual(expected);
  });

  it('does not divide a vanishing vector by zero', () => {
    const { u } = spectralNorm([make([1, 1], [0]), make([1], [1]), make([1], [1])], { iterations: 1 });
    expect(u.data[0]).toBe(0);
  });

  it('refuses vectors that do not belong to the weight', () => {
    expect(() => spectralNormFixed([weight, make([3]), make([2])])).toThrow('rows of the weight and u');
    expect(() => spectralNormFixed([weight, make([2]), make([1])])).toThrow('columns of the weight and v');
  });
});
