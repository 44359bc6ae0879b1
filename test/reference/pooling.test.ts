import { expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { adaptiveAvgPool2d, avgPool2d, maxPool2d, upsampleNearest } from '../../src/reference/pooling.js';

const x = make([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
const negative = make([1, 1, 3, 3], [-1, -2, -3, -4, -5, -6, -7, -8, -9]);

it('takes the largest of each window, never the padding', () => {
  expect(maxPool2d([x], { kernel: [2, 2], stride: [1, 1] }).y).toEqual(make([1, 1, 2, 2], [5, 6, 8, 9]));
  expect(maxPool2d([negative], { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }).y).toEqual(
    make([1, 1, 2, 2], [-1, -2, -4, -5]),
  );
});

it('averages each window, with the padding as zeros', () => {
  expect(avgPool2d([x], { kernel: [3, 1] }).y).toEqual(make([1, 1, 1, 3], [4, 5, 6]));
  expect(avgPool2d([x], { kernel: [2, 2], stride: [2, 2], padding: [1, 1] }).y).toEqual(
    make([1, 1, 2, 2], [1 / 4, 5 / 4, 11 / 4, 28 / 4]),
  );
});

it('moves by the kernel when no stride is given, and leaves a rest that does not fill a window', () => {
  expect(maxPool2d([x], { kernel: [2, 2] }).y).toEqual(make([1, 1, 1, 1], [5]));
});

it('averages adaptive windows that overlap where sizes do not divide', () => {
  expect(adaptiveAvgPool2d([x], { outputSize: [1, 1] }).y).toEqual(make([1, 1, 1, 1], [5]));
  expect(adaptiveAvgPool2d([x], { outputSize: [2, 3] }).y).toEqual(make([1, 1, 2, 3], [2.5, 3.5, 4.5, 5.5, 6.5, 7.5]));
  const row = make([1, 1, 1, 2], [1, 5]);
  expect(adaptiveAvgPool2d([row], { outputSize: [1, 3] }).y).toEqual(make([1, 1, 1, 3], [1, 3, 5]));
});

it('keeps planes apart and repeats every element when it upsamples', () => {
  const planes = make([1, 2, 1, 2], [1, 2, 3, 4]);
  expect(upsampleNearest([planes], { scale: 2 }).y).toEqual(
    make([1, 2, 2, 4], [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]),
  );
  expect(maxPool2d([planes], { kernel: [1, 2] }).y).toEqual(make([1, 2, 1, 1], [2, 4]));
});
