import { expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { concat, embedding, permute, reshape, slice } from '../../src/reference/shape.js';

const x = make([2, 3], [1, 2, 3, 4, 5, 6]);

it('concatenates along a dimension', () => {
  const y = make([2, 1], [10, 20]);
  expect(concat([x, y], { dim: 1 }).y).toEqual(make([2, 4], [1, 2, 3, 10, 4, 5, 6, 20]));
  expect(concat([y, x, y], { dim: 1 }).y).toEqual(make([2, 5], [10, 1, 2, 3, 10, 20, 4, 5, 6, 20]));
  expect(concat([x, make([1, 3], [7, 8, 9])], { dim: 0 }).y).toEqual(make([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]));
  expect(concat([x, y], { dim: -1 })).toEqual(concat([x, y], { dim: 1 }));
  expect(() => concat([x, y], { dim: 0 })).toThrow('shapes but for dim');
});

it('reshapes to as many elements', () => {
  expect(reshape([x], { shape: [3, 2] }).y).toEqual(make([3, 2], [1, 2, 3, 4, 5, 6]));
  expect(() => reshape([x], { shape: [4] })).toThrow('6 values do not fill the shape [4]');
});

it('permutes dimensions', () => {
  expect(permute([x], { dims: [1, 0] }).y).toEqual(make([3, 2], [1, 4, 2, 5, 3, 6]));
  const cube = make([2, 1, 3], [1, 2, 3, 4, 5, 6]);
  // y[i, j, k] = x[j, k, i]
  expect(permute([cube], { dims: [2, 0, 1] }).y).toEqual(make([3, 2, 1], [1, 4, 2, 5, 3, 6]));
  expect(permute([cube], { dims: [-1, 0, -2] }).y).toEqual(permute([cube], { dims: [2, 0, 1] }).y);
  expect(() => permute([x], { dims: [0, 0] })).toThrow('dims');
});

it('cuts a part out', () => {
  expect(slice([x], { dim: 1, start: 1, length: 2 }).y).toEqual(make([2, 2], [2, 3, 5, 6]));
  expect(slice([x], { dim: 0, start: 1, length: 1 }).y).toEqual(make([1, 3], [4, 5, 6]));
  expect(slice([x], { dim: -1, start: 1, length: 2 }).y).toEqual(make([2, 2], [2, 3, 5, 6]));
  expect(() => slice([x], { dim: 1, start: 2, length: 2 })).toThrow('leaves dimension 1');
});

it('looks rows up', () => {
  expect(embedding([x, make([2, 2], [1, 0, 1, 1])]).y).toEqual(make([2, 2, 3], [4, 5, 6, 1, 2, 3, 4, 5, 6, 4, 5, 6]));
  expect(() => embedding([x, make([1], [2])])).toThrow('index 2 at position 0');
});
