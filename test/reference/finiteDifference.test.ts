import { describe, expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { mul } from '../../src/reference/elementwise.js';
import { gradient, inner, inputGradient } from '../../src/reference/finiteDifference.js';
import { linear } from '../../src/reference/matmul.js';

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

describe('inputGradient', () => {
  it('differences the sum of outputs times cotangents', () => {
    const [a, b] = [make([2, 1], [2, 3]), make([2], [5, 7])];
    const cotangents = { y: make([2, 2], [1, 10, 100, 1000]) };
    expect(inner(mul([a, b]), cotangents)).toBe(10 + 140 + 1500 + 21000);
    const byA = inputGradient(mul, [a, b], undefined, cotangents, 0);
    expect(byA[0]).toBeCloseTo(5 + 70, 5);
    expect(byA[1]).toBeCloseTo(500 + 7000, 5);
    const [byB] = inputGradient(mul, [a, b], undefined, cotangents, 1, [1]);
    expect(byB).toBeCloseTo(20 + 3000, 5);
  });

  it('names a missing input, a missing output and a cotangent that does not fit', () => {
    const inputs = [make([1, 1], [1]), make([1, 1], [1]), undefined];
    const cotangents = { y: make([1, 1], [1]) };
    expect(() => inputGradient(linear, inputs, {}, cotangents, 2)).toThrow('no input 2');
    expect(() => inner({ y: make([1]) }, { z: make([1]) })).toThrow('cotangent for z');
    expect(() => inner({ y: make([1]) }, { y: make([2]) })).toThrow('the cotangent of y is [2]');
  });
});
