/** How kernels that work in `Lanes` (kernels/lib/lanes_*.wgsl) cut up their data: four values at a time where rows allow. */
import type { Capabilities } from '../kernel/choose.js';

export interface Lanes {
  /** The library file. */
  readonly file: string;
  /** Values handled at once: an item. */
  readonly count: number;
}

/** Lanes for rows of `extent` values: four where every row begins at a whole vec4. */
export function lanesFor(extent: number): Lanes {
  const count = extent % 4 === 0 ? 4 : 1;
  return { file: `lib/lanes_${count}`, count };
}

/**
 * Invocations of a workgroup that sums: on a software adapter few, for a barrier there stores and loads all that each of
 * them holds.
 */
export const reductionWidth = (device: Capabilities): number => (device.software ? 16 : 256);

/** Invocations that share a row of `items`, as a power of two: each is to have about 16 items, on a GPU 4. */
export function threadsLog2(device: Capabilities, items: number): number {
  return Math.max(0, Math.ceil(Math.log2(items / (device.software ? 16 : 4))));
}

/** How a long row of items is cut for several workgroups to work on. */
export interface Parts {
  readonly parts: number;
  /** Items in each but the last, which may be shorter; none is empty. */
  readonly items: number;
}

/** Cuts `items` into at most `wanted` parts, of at least `least` items each. */
export function cut(items: number, wanted: number, least: number): Parts {
  const parts = Math.max(1, Math.min(wanted, Math.floor(items / least)));
  const each = Math.ceil(items / parts);
  return { parts: Math.ceil(items / each), items: each };
}
