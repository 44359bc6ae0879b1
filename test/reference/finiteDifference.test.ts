import { describe, expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { gradient, inner } from '../../src/reference/finiteDifference.js';

describe('gradient', () => {
  const f = (x: Float64Array) => Math.sin(x[0]) * x[1] + x[2] ** 3;
  const x = Float64Array.of(1, 20, -0.5);
  const expected = [20 * Math.cos(1), Math.sin(1), 0.75];

  it('agrees with the derivative to some ten digits', () => {
    gradient(f, x).forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(1e-8);
    });
    expect(x).toEqual(Float64Array.of(1, 20, -0.5));
  });

  it('can be asked for some elements, in their order', () => {
    const [third, first] = gradient(f, x, [2, 0]);
    expect(third).toBeCloseTo(expected[2], 8);
    expect(first).toBeCloseTo(expected[0], 8);
  });

  it('steps in proportion to large elements', () => {
    expect(gradient(([a]) => a * a, Float64Array.of(1e9))[0] / 2e9).toBeCloseTo(1, 8);
  });
});

describe('inner', () => {
  it('is the sum of outputs times cotangents', () => {
    const y = make([2, 2], [10, 14, 15, 21]);
    expect(inner({ y, z: make([1], [5]) }, { y: make([2, 2], [1, 10, 100, 1000]) })).toBe(10 + 140 + 1500 + 21000);
  });

  it('names a missing output and a cotangent that does not fit', () => {
    expect(() => inner({ y: make([1]) }, { z: make([1]) })).toThrow('cotangent for z');
    expect(() => inner({ y: make([1]) }, { y: make([2]) })).toThrow('the cotangent of y is [2]');
  });
});
