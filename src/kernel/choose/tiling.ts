/** A matrix product and the tiles that it can be computed in: what the rules for CPUs and for GPUs have in common. */
import type { Capabilities } from '../choose.js';
import type { Constants } from '../source.js';

/** A product C[rows, columns] = A B, `items` times, each element a sum of `terms`. */
export interface GemmShape {
  readonly rows: number;
  readonly columns: number;
  readonly items: number;
  readonly terms: number;
  /** Whether neighbouring elements of B in memory are neighbours in the sum, rather than neighbouring columns. */
  readonly sumContiguous: boolean;
  /** Whether both operands are stored in f16. Default false. */
  readonly halves?: boolean;
}

/** The size of the product's packed form: see PackedForm in ops/gemm.ts. */
export interface PackedShape {
  readonly columns: number;
  readonly steps: number;
  readonly texels: number;
}

/** A core and the tile of C that one of its workgroups computes. */
export interface Tiling {
  /** Its files: CORES in ops/gemm.ts. */
  readonly core: 'broadcast' | 'matrix' | 'packed' | 'packed_alone' | 'registers' | 'shared' | 'strip';
  readonly constants: Constants;
  /** Rows and columns. */
  readonly tile: readonly [number, number];
  /** Of it, what an invocation computes, where that can differ. */
  readonly piece?: readonly [number, number];
}

/** A tiling, and in how many parts the sum is cut for it, which a second pass adds. */
export type Cut = readonly [tiling: Tiling, splits: number];

/** The least of `sizes` that holds `extent`, or the last. */
export const fitting = (extent: number, sizes: readonly number[]): number =>
  sizes.find((size) => size >= extent) ?? sizes.at(-1)!;

/** Invocations that share a sum of kernels/lib/gemm_strip.wgsl. */
const STRIP_WIDTH = 64;

/** Workgroups that keep a GPU busy, and terms that are worth one: a judgement is one column of 131 072 terms at 256 x 256. */
const STRIP_GROUPS = 256;
const STRIP_TERMS = 16 * STRIP_WIDTH;

/**
 * For products of few columns and long sums. On GPUs since the tiles of other cores are far wider; on CPUs, whose barriers cost what
 * empty columns do or more, only where a sum is so long that its rounding counts.
 */
export function stripCuts({ software }: Capabilities, { rows, columns, items, terms }: GemmShape): Cut[] {
  const isLong = terms >= (software ? 1024 : 2 * STRIP_WIDTH);
  if (columns > 4 || !isLong) return [];
  const tiling: Tiling = { core: 'strip', constants: { WIDTH: STRIP_WIDTH, SUM: 'mat4x4f' }, tile: [4, 4] };
  const groups = Math.ceil(rows / 4) * items;
  const splits = Math.min(Math.floor(terms / STRIP_TERMS), Math.floor(STRIP_GROUPS / groups));
  return [[tiling, software ? 1 : Math.max(1, splits)]];
}

/** A part of a sum is to have so many terms at least. */
export const LEAST_TERMS = 64;
