/** f16 on the CPU: every number there and back, and where values between two numbers go. */
import { expect, it } from 'vitest';
import { fromHalf, toHalf } from '../../src/memory/half.js';

it('every f16 number becomes a value and the same bits again', () => {
  const bits = Uint16Array.from({ length: 0x10000 }, (_, half) => half);
  const values = fromHalf(bits);
  const again = toHalf(values);
  const wrong = [...bits].filter((half, i) =>
    Number.isNaN(values[i]!) ? (again[i]! & 0x7fff) !== 0x7e00 : again[i] !== half,
  );
  expect(wrong).toEqual([]);
});

it.each([
  ['half-way to the even number below', 1 + 2 ** -11, 1],
  ['half-way to the even number above', 1 + 3 * 2 ** -11, 1 + 2 ** -9],
  ['just above half-way', 1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
  ['up into the next power of two', 2 - 2 ** -12, 2],
  ['the largest number', 65519.99, 65504],
  ['half a step beyond it', 65520, Number.POSITIVE_INFINITY],
  ['far beyond it', -1e30, Number.NEGATIVE_INFINITY],
  ['subnormal, half-way to even', 2.5 * 2 ** -24, 2 * 2 ** -24],
  ['subnormal, just above half-way', 2.51 * 2 ** -24, 3 * 2 ** -24],
  ['subnormal, up into the normal numbers', 2 ** -14 - 2 ** -26, 2 ** -14],
  ['too small', 2 ** -25, 0],
  ['too small and negative', -(2 ** -26), -0],
])('rounds what lies %s', (_where, value, expected) => {
  expect(fromHalf(toHalf([value]))[0]).toBe(expected);
});

it('pads to whole words, with zeros', () => {
  expect([...toHalf([1, -2, 65504])]).toEqual([0x3c00, 0xc000, 0x7bff, 0]);
});
