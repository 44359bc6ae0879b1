import { describe, expect, it } from 'vitest';
import {
  at,
  checkSame,
  dimOf,
  forEachIndex,
  fromFloat32,
  make,
  required,
  sizeOf,
  strides,
} from '../../src/reference/array.js';

describe('arrays', () => {
  it('are row-major', () => {
    expect(strides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(strides([])).toEqual([]);
    expect(at(make([2, 3], [0, 1, 2, 10, 11, 12]), 1, 2)).toBe(12);
    expect(at(make([], [7]))).toBe(7);
  });

  it('are zero where no values are given, and are as large as their shape', () => {
    expect(make([2, 2]).data).toEqual(new Float64Array(4));
    expect(sizeOf([])).toBe(1);
    expect(sizeOf([3, 0, 2])).toBe(0);
    expect(() => make([2, 2], [1, 2, 3])).toThrow('3 values do not fill the shape [2,2]');
  });

  it('copy what they are made of', () => {
    const values = Float64Array.of(1, 2);
    make([2], values).data[0] = 5;
    expect(values[0]).toBe(1);
  });

  it('widen float32 without loss', () => {
    expect(fromFloat32([1], Float32Array.of(0.1)).data[0]).toBe(Math.fround(0.1));
  });

  it('refuse an index outside', () => {
    const array = make([2, 3]);
    for (const index of [[0, 3], [-1, 0], [0], [0, 0, 0], [0.5, 0]]) {
      expect(() => at(array, ...index)).toThrow(`index [${index}]`);
    }
  });

  it('are visited in the order of their elements', () => {
    const seen: string[] = [];
    forEachIndex([2, 1, 2], (index, flat) => seen.push(`${flat}:${index}`));
    expect(seen).toEqual(['0:0,0,0', '1:0,0,1', '2:1,0,0', '3:1,0,1']);
    const scalar: number[] = [];
    forEachIndex([], (_, flat) => scalar.push(flat));
    expect(scalar).toEqual([0]);
    forEachIndex([2, 0], () => expect.unreachable());
  });
});

describe('checks', () => {
  it('name what is wrong', () => {
    expect(() => required([make([1]), undefined], 'x', 'weight')).toThrow('input 1 (weight) is missing');
    expect(() => dimOf(2, [3, 4])).toThrow('dimension 2');
    expect(() => dimOf(-3, [3, 4])).toThrow('dimension -3');
    expect([0, 1, -1, -2].map((dim) => dimOf(dim, [3, 4]))).toEqual([0, 1, 1, 0]);
    expect(() => checkSame('sides', [1, 2], [1, 3])).toThrow('sides must be equal, but are [1,2] and [1,3]');
    expect(() => checkSame('sides', [1], [1, 1])).toThrow('sides');
  });
});
