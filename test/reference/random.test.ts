import { describe, expect, it } from 'vitest';
import { dropoutMask, normal, philox4x32, randomWords, seedKey, uniform } from '../../src/reference/random.js';

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('philox4x32', () => {
  // The known answers published with the Random123 library for philox4x32 with 10 rounds.
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [Array<number>(4).fill(0xffffffff), Array<number>(2).fill(0xffffffff), '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('counter %j, key %j', (counter, key, expected) => {
    expect(hex(philox4x32(counter, key))).toBe(expected);
  });
});

describe('sequences', () => {
  it('take the seed as a key of its low and high half', () => {
    expect(seedKey(0x123456789abcdef0n)).toEqual([0x9abcdef0, 0x12345678]);
    expect(seedKey(2 ** 32 + 7)).toEqual([7, 1]);
  });

  it('take element i from lane i mod 4 of counter i / 4 and the stream', () => {
    const words = randomWords(5, 9, 11);
    expect([...words.slice(4, 8)]).toEqual(philox4x32([1, 9, 0, 0], [5, 0]));
    expect(words[10]).toBe(philox4x32([2, 9, 0, 0], [5, 0])[2]);
    expect(hex([...randomWords(0, 0, 4)])).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
  });

  it('map words to uniforms by their upper 24 bits', () => {
    expect(uniform(0, 0, 2)).toEqual(Float64Array.of(0x6627e8 / 2 ** 24, 0xe169c5 / 2 ** 24));
  });

  it('map pairs of uniforms to normals by Box-Muller', () => {
    const [u, v] = uniform(3, 1, 2);
    const [a, b] = normal(3, 1, 2);
    expect(Math.hypot(a, b)).toBeCloseTo(Math.sqrt(-2 * Math.log(1 - u)), 12);
    expect(Math.atan2(b, a) / (2 * Math.PI)).toBeCloseTo(v > 0.5 ? v - 1 : v, 12);
  });

  it('do not depend on how many elements are drawn', () => {
    expect(uniform(1, 2, 5)).toEqual(uniform(1, 2, 20).slice(0, 5));
    expect(normal(1, 2, 5)).toEqual(normal(1, 2, 20).slice(0, 5));
  });

  it('can be drawn from any fourth element on', () => {
    expect(uniform(1, 2, 5, 8)).toEqual(uniform(1, 2, 20).slice(8, 13));
    expect(normal(1, 2, 5, 12)).toEqual(normal(1, 2, 20).slice(12, 17));
  });

  it('differ between seeds and between streams', () => {
    const [first] = uniform(1, 0, 1);
    for (const [other] of [uniform(2, 0, 1), uniform(1, 1, 1), uniform(2n ** 32n + 1n, 0, 1)]) {
      expect(other).not.toBe(first);
    }
  });

  it('have the moments of their distributions', () => {
    const count = 20_000;
    const mean = (values: Float64Array, power: number) => values.reduce((sum, x) => sum + x ** power, 0) / count;
    const uniforms = uniform(42, 0, count);
    expect(Math.abs(mean(uniforms, 1) - 1 / 2)).toBeLessThan(0.01);
    expect(Math.abs(mean(uniforms, 2) - 1 / 3)).toBeLessThan(0.01);
    const normals = normal(42, 0, count);
    expect(Math.abs(mean(normals, 1))).toBeLessThan(0.03);
    expect(Math.abs(mean(normals, 2) - 1)).toBeLessThan(0.05);
    expect(Math.abs(mean(normals, 4) - 3)).toBeLessThan(0.3);
  });

  it('drop the share p of a dropout mask', () => {
    const mask = dropoutMask([100, 100], { p: 0.3, seed: 1, stream: 0 });
    expect(mask.shape).toEqual([100, 100]);
    const uniforms = uniform(1, 0, 10_000);
    expect(mask.data.every((keep, i) => keep === (uniforms[i] < 0.3 ? 0 : 1))).toBe(true);
    expect(Math.abs(mask.data.reduce((a, b) => a + b) / 10_000 - 0.7)).toBeLessThan(0.02);
  });
});
