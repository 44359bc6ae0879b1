/**
 * Images that look the same. Each becomes a signature: a 32 x 32 thumbnail less its mean, of length 1, so that the product of
 * two signatures is their correlation. Which pairs are worth that product is told by 64 bits: on which side of 64 random
 * planes a signature lies. Two of correlation r differ in 64 acos(r) / pi bits on average (Charikar 2002), at 0.99 in 3 of
 * them; unrelated images in about 32.
 */

import { UserError } from '../io/errors.js';
import { readPixels } from '../io/pixels.js';
import { normal } from '../reference/random.js';

/**
 * Two images with a greater correlation are taken for the same picture: what the same file gives when it is saved as JPEG, or
 * in another size. Songs of one species do not come close (0.97 at most among 500 windows of ten species).
 */
export const SAME = 0.99;

/** Nothing is more like an image: the search ends. */
const IDENTICAL = 0.99999;

const SIDE = 32;
const LENGTH = SIDE * SIDE;
const PLANES = 64;
/** Seven deviations above the mean number of bits in which pairs at the threshold differ: none are missed. */
const DIFFERING_BITS = 15;

const planes = normal(0, 0, PLANES * LENGTH);

export interface Signatures {
  /** Of how many images. */
  readonly count: number;
  /** `[count, 1024]` */
  readonly values: Float32Array;
  /** `[count, 2]` */
  readonly bits: Uint32Array;
}

/** Images that are decoded at the same time. */
const AT_ONCE = 32;

/** Signatures of image files; zero, and so like nothing, for those that cannot be read or are of one colour. */
export async function signaturesOf(
  files: readonly string[],
  onProgress?: (done: number) => void,
  signal?: AbortSignal,
): Promise<Signatures> {
  const values = new Float32Array(files.length * LENGTH);
  for (let first = 0; first < files.length; first += AT_ONCE) {
    signal?.throwIfAborted();
    const some = files.slice(first, first + AT_ONCE);
    const thumbnails = await Promise.all(
      some.map((file) => readPixels(file, { size: SIDE, channels: 1 }).catch(nothingIfUnreadable)),
    );
    for (const [k, pixels] of thumbnails.entries()) values.set(normalised(pixels), (first + k) * LENGTH);
    onProgress?.(first + some.length);
  }
  return { count: files.length, values, bits: bitsOf(values) };
}

function nothingIfUnreadable(error: unknown): Uint8Array {
  if (error instanceof UserError) return new Uint8Array(LENGTH);
  throw error;
}

/** Less the mean, divided by the length; zero where there is nothing but the mean. */
export function normalised(pixels: ArrayLike<number>): Float32Array {
  const values = Float32Array.from(pixels);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  for (const [i, value] of values.entries()) values[i] = value - mean;
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  if (length < 1e-3) return values.fill(0);
  for (const [i, value] of values.entries()) values[i] = value / length;
  return values;
}

function bitsOf(values: Float32Array): Uint32Array {
  const count = values.length / LENGTH;
  const bits = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < PLANES; k++) {
      let side = 0;
      for (let p = 0; p < LENGTH; p++) side += values[i * LENGTH + p]! * planes[k * LENGTH + p]!;
      if (side > 0) bits[2 * i + (k >>> 5)]! |= 1 << (k & 31);
    }
  }
  return bits;
}

export interface SimilarPair {
  /** Numbers of two images, `a < b`. */
  readonly a: number;
  readonly b: number;
  readonly correlation: number;
}

/** For each image the one after it that looks most the same, if any does and `compare` says that the two are to be compared. */
export function similarPairs(
  { count, values, bits }: Signatures,
  compare: (a: number, b: number) => boolean = () => true,
): SimilarPair[] {
  const pairs: SimilarPair[] = [];
  for (let a = 0; a < count; a++) {
    let best: SimilarPair = { a, b: a, correlation: SAME };
    for (let b = a + 1; b < count && best.correlation < IDENTICAL; b++) {
      const differing = ones(bits[2 * a]! ^ bits[2 * b]!) + ones(bits[2 * a + 1]! ^ bits[2 * b + 1]!);
      if (differing > DIFFERING_BITS || !compare(a, b)) continue;
      const correlation = product(values, a, b);
      if (correlation > best.correlation) best = { a, b, correlation };
    }
    if (best.b > a) pairs.push(best);
  }
  return pairs;
}

function product(values: Float32Array, a: number, b: number): number {
  let sum = 0;
  for (let p = 0; p < LENGTH; p++) sum += values[a * LENGTH + p]! * values[b * LENGTH + p]!;
  return sum;
}

/** How many bits of a word are set. */
function ones(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
