/** A matrix product and the tiles that it can be computed in: what the rules for CPUs and for GPUs have in common. */
import type { Capabilities } from '../choose.js';

/** A product C[rows, columns] = A B, `items` times, each element a sum of `terms`. */
export interface GemmShape {
  readonly rows: number;
  readonly columns: number;
  readonly items: number;
  readonly terms: number;
  /** Whether neighbouring elements of B in memory are neighbours in the sum, rather than neighbouring columns. */
  readonly sumContiguous: boolean;
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
  readonly core: 'broadcast' | 'packed' | 'packed_alone' | 'registers' | 'shared';
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** Rows and columns. */
  readonly tile: readonly [number, number];
}

/** The least of `sizes` that holds `extent`, or the last. */
export const fitting = (extent: number, sizes: readonly number[]): number =>
  sizes.find((size) => size >= extent) ?? sizes.at(-1)!;

/** A part of a sum is to have so many terms at least. */
export const LEAST_TERMS = 64;

/** Multiply-adds that take a CPU about as long as the second pass that adds the parts. */
const WORTH_A_PASS = 2 ** 20;

/** How many parts to cut a sum into so that the device is busy; `together` terms of it are one step for the core. */
export function splitsFor(
  { software }: Capabilities,
  { rows, columns, items, terms }: GemmShape,
  { tile }: Tiling,
  together = 1,
): number {
  const groups = Math.ceil(rows / tile[0]) * Math.ceil(columns / tile[1]) * items;
  const wanted = software ? 8 : 256;
  if (groups >= wanted) return 1;
  const least = software ? Math.max(LEAST_TERMS, WORTH_A_PASS / (tile[0] * tile[1])) : LEAST_TERMS;
  return Math.max(1, Math.min(Math.floor((together * terms) / least), Math.ceil(wanted / groups)));
}
