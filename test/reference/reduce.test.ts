import { expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { max, mean, sum } from '../../src/reference/reduce.js';

const x = make([2, 2, 3], [1, 2, 3, 4, 5, 6, -7, -8, -9, -10, -11, -12]);

it('reduces some dimensions', () => {
  expect(sum([x], { dims: [0, 2] }).y).toEqual(make([2], [6 - 24, 15 - 33]));
  expect(mean([x], { dims: [1] }).y).toEqual(make([2, 3], [2.5, 3.5, 4.5, -8.5, -9.5, -10.5]));
  expect(max([x], { dims: [2] }).y).toEqual(make([2, 2], [3, 6, -7, -10]));
  expect(max([x], { dims: [-1] }).y).toEqual(make([2, 2], [3, 6, -7, -10]));
});

it('keeps reduced dimensions when asked to', () => {
  expect(sum([x], { dims: [0, 2], keepDims: true }).y.shape).toEqual([1, 2, 1]);
  expect(mean([x], { dims: [1], keepDims: true }).y.shape).toEqual([2, 1, 3]);
});

it('reduces everything when no dimensions are named, in any order otherwise', () => {
  expect(sum([x]).y).toEqual(make([], [-36]));
  expect(mean([x], { dims: [2, 0, 1] }).y).toEqual(make([], [-3]));
  expect(max([x]).y).toEqual(make([], [6]));
  expect(sum([x], { dims: [] }).y).toEqual(make([], [-36]));
});

it('does not hide a NaN', () => {
  expect(max([make([2], [Number.NaN, 1])]).y.data[0]).toBeNaN();
});

it('refuses a dimension that is not there', () => {
  expect(() => sum([x], { dims: [3] })).toThrow('dimension 3');
});
