/**
 * The counter-based generator from which everything random is drawn: Philox4x32-10 (Salmon et al. 2011). A number
 * depends on its seed, stream and index alone, so any part of a sequence can be drawn anywhere, in any order.
 *
 *   key      = (low, high) 32 bits of the seed
 *   counter  = (floor(i / 4), stream, 0, 0) for element i
 *   word     = lane i mod 4 of the four words of that counter
 *   uniform  = floor(word / 2^8) * 2^-24, in [0, 1) and exact in float32
 *   normal   = Box-Muller on the uniforms u, v of elements 2j, 2j + 1: r = sqrt(-2 log(1 - u)),
 *              element 2j is r cos(2 pi v), element 2j + 1 is r sin(2 pi v); 1 - u is never 0, so |normal| < 5.8
 */
import { type Array64, make, sizeOf } from './array.js';

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** Weyl increments of the key between rounds: the fractions of the golden ratio and of sqrt(3). */
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** The upper 32 bits of the 64-bit product, by parts of 16 bits, as 32-bit arithmetic would. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000)) >>> 0;
}

/** Philox4x32-10: four random words of a counter of four words and a key of two. */
export function philox4x32(counter: readonly number[], key: readonly number[]): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The key of a seed: its low and high 32 bits. A seed is a whole number from 0 to 2^64 - 1. */
export function seedKey(seed: number | bigint): [low: number, high: number] {
  const bits = BigInt(seed);
  return [Number(bits & 0xffffffffn), Number((bits >> 32n) & 0xffffffffn)];
}

/** The words of `count` elements of a stream (a whole number below 2^32), from element `first`, a multiple of 4, on. */
export function randomWords(seed: number | bigint, stream: number, count: number, first = 0): Uint32Array {
  const key = seedKey(seed);
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i += 4) {
    const four = philox4x32([(first + i) / 4, stream, 0, 0], key);
    for (let lane = 0; lane < 4 && i + lane < count; lane++) words[i + lane] = four[lane];
  }
  return words;
}

// Loops instead of Array.from, which takes several times as long: weights may be many millions.

/** `count` elements of a stream from element `first`, a multiple of 4, on: uniform in [0, 1). */
export function uniform(seed: number | bigint, stream: number, count: number, first = 0): Float64Array {
  const words = randomWords(seed, stream, count, first);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = (words[i] >>> 8) * 2 ** -24;
  return values;
}

/** `count` elements of a stream from element `first`, a multiple of 4, on: of mean 0 and variance 1. */
export function normal(seed: number | bigint, stream: number, count: number, first = 0): Float64Array {
  const uniforms = uniform(seed, stream, count + (count % 2), first);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniforms[i]));
    const angle = 2 * Math.PI * uniforms[i + 1];
    values[i] = radius * Math.cos(angle);
    // Past the end of an odd count, this is lost.
    values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

export interface DropoutMaskAttrs {
  p: number;
  seed: number | bigint;
  stream: number;
}

/** The mask of dropout: 1 where the element's uniform number is at least p, else 0. */
export function dropoutMask(shape: readonly number[], { p, seed, stream }: DropoutMaskAttrs): Array64 {
  return make(
    shape,
    uniform(seed, stream, sizeOf(shape)).map((value) => (value >= p ? 1 : 0)),
  );
}
