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
  /** kernels/lib/gemm_<core>.wgsl */
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

/**
 * For products of few columns and long sums. On GPUs since the tiles of other cores are far wider; on CPUs, whose barriers cost what
 * empty columns do or more, only where a sum is so long that its rounding counts.
 */
export function stripCuts({ software }: Capabilities, { columns, terms }: GemmShape): Cut[] {
  const constants = { WIDTH: STRIP_WIDTH, SUM: 'mat4x4f' };
  const isLong = terms >= (software ? 1024 : 2 * STRIP_WIDTH);
  return columns <= 4 && isLong ? [[{ core: 'strip', constants, tile: [4, 4] }, 1]] : [];
}

/** A part of a sum is to have so many terms at least. */
export const LEAST_TERMS = 64;
