import { expect, it } from 'vitest';
import { argmaxRows, confusionMatrix, hits } from '../../src/metrics/confusion.js';

it('counts what was named what', () => {
  const [labels, named] = [Int32Array.of(0, 0, 1, 2, 2), Int32Array.of(0, 1, 1, 0, 2)];
  expect(confusionMatrix(labels, named, 4)).toEqual([
    [1, 1, 0, 0],
    [0, 1, 0, 0],
    [1, 0, 1, 0],
    [0, 0, 0, 0],
  ]);
  expect([...hits(labels, named)]).toEqual([1, 0, 1, 0, 1]);
});

it('finds the greatest logit of each row, the first of equal ones', () => {
  expect([...argmaxRows([1, 3, 2, -1, -1, -5, 0, 0, 0.1], 3)]).toEqual([1, 0, 2]);
  expect([...argmaxRows([1, 3, 2, -1, -1, -5, 0, 0, 0.1], 3, 2)]).toEqual([1, 0, 0]);
});
