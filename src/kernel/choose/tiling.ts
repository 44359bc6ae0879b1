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

/** A part of a sum is to be worth a workgroup's while. */
export const LEAST_TERMS = 64;

/** How many parts to cut a sum into so that the device is busy, each of `least` terms at least. */
export function splitsFor(
  { software }: Capabilities,
  { rows, columns, items, terms }: GemmShape,
  { tile }: Tiling,
  least = LEAST_TERMS,
): number {
  const groups = Math.ceil(rows / tile[0]) * Math.ceil(columns / tile[1]) * items;
  const wanted = software ? 8 : 256;
  if (groups >= wanted) return 1;
  return Math.max(1, Math.min(Math.floor(terms / least), Math.ceil(wanted / groups)));
}
