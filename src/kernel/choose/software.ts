/** Tiles for CPU adapters, whose loads cost far more than their multiply-adds: the more of a tile shares a load, the better. */
import { MOST_TEXELS } from '../../memory/scratch.js';
import type { Capabilities } from '../choose.js';
import { type Cut, fitting, type GemmShape, LEAST_TERMS, type PackedShape, type Tiling } from './tiling.js';

/** On operands as they are, the best by rule first. */
export function softwareCuts({ lanes }: Capabilities, shape: GemmShape): Cut[] {
  const tilings = lanes === 0 ? [] : broadcastTilings(lanes, shape);
  return [...tilings, ...registerTilings(shape)].map((tiling) => [tiling, splitsFor(shape, tiling)]);
}

/** Rows of a subgroup's tile. */
const BROADCAST_ROWS = [4, 8, 16, 32];

/** Subgroups of a known size: the wider the tile, the fewer loads a value. */
function broadcastTilings(LANES: 4 | 8, { rows, columns }: GemmShape): Tiling[] {
  const sizes = BROADCAST_ROWS.filter((size) => size <= 4 * LANES);
  const best = sizes.indexOf(fitting(rows, sizes));
  // Two groups of columns share each value of A: a fifth faster on lavapipe, no gain on SwiftShader.
  const wide = LANES === 8 && columns > 4 * LANES;
  return [best, best - 1, best + 1].flatMap((i) =>
    [wide ? 2 : 1, wide ? 1 : 2].flatMap((COLUMNS) => {
      const ROWS = sizes[i];
      if (ROWS === undefined || (COLUMNS === 2 && columns <= 4 * LANES)) return [];
      return { core: 'broadcast', constants: { LANES, ROWS, COLUMNS }, tile: [ROWS, 4 * LANES * COLUMNS] };
    }),
  );
}

function registerTilings({ rows, columns }: GemmShape): Tiling[] {
  const ROWS = fitting(rows, [4, 8]);
  const wide = fitting(columns, [32, 64]);
  return [wide, 96 - wide].map((width) => ({
    core: 'registers',
    constants: { ROWS, GROUP_COLUMNS: width / 8, GROUP_ROWS: 1 },
    tile: [ROWS, width],
  }));
}

/** On operands packed into texels, the best by rule first. None on GPUs, whose loads are fast, and for too many texels. */
export function packedCuts({ software, lanes }: Capabilities, shape: GemmShape, packed: PackedShape): Cut[] {
  if (!software || packed.texels > MOST_TEXELS) return [];
  const tilings = lanes === 0 ? aloneTilings(packed) : passedOnTilings(lanes, shape, packed);
  const product = { ...shape, columns: packed.columns, terms: packed.steps };
  return tilings.map((tiling) => [tiling, splitsFor(product, tiling, 4)]);
}

function passedOnTilings(LANES: 4 | 8, { rows }: GemmShape, { columns }: PackedShape): Tiling[] {
  const sizes = BROADCAST_ROWS.filter((size) => size <= 4 * LANES);
  const best = sizes.indexOf(fitting(rows, sizes));
  return [best, best - 1].flatMap((i) =>
    [2, 1].flatMap((COLUMNS): Tiling[] => {
      const ROWS = sizes[i];
      if (ROWS === undefined || (COLUMNS === 2 && columns <= 4 * LANES)) return [];
      return [{ core: 'packed', constants: { LANES, ROWS, COLUMNS }, tile: [ROWS, 4 * LANES * COLUMNS] }];
    }),
  );
}

const aloneTilings = ({ columns }: PackedShape): Tiling[] =>
  [4, 2, 1]
    .filter((COLUMNS) => COLUMNS === 1 || columns > 16 * COLUMNS)
    .map((COLUMNS) => ({ core: 'packed_alone', constants: { COLUMNS }, tile: [8, 32 * COLUMNS] }));

/**
 * Operations a nanosecond of tiles with so many rows, on plain and on packed operands, by the lanes of a subgroup: measured on
 * lavapipe (bench/NOTES.md), but only their ratios matter. SwiftShader, with 4 lanes, gains nothing.
 */
const RATES: Partial<Record<Capabilities['lanes'], Readonly<Record<number, { plain: number; packed: number }>>>> = {
  0: { 8: { plain: 24, packed: 60 } },
  8: {
    4: { plain: 12, packed: 21 },
    8: { plain: 25, packed: 60 },
    16: { plain: 42, packed: 81 },
    32: { plain: 58, packed: 101 },
  },
};
/** Nanoseconds to pack a texel, and to dispatch the packing. */
const PACKING_TEXEL = 3.5;
const PACKING_DISPATCH = 60e3;

/** Whether what packed operands save is more than packing costs. */
export function packingPays(
  { lanes }: Capabilities,
  { rows, columns, items, terms }: GemmShape,
  packed: PackedShape,
): boolean {
  const rates = RATES[lanes];
  if (!rates) return false;
  const tile = fitting(rows, Object.keys(rates).map(Number));
  const lines = Math.ceil(rows / tile) * tile * items;
  const plain = (2 * lines * columns * terms) / rates[tile]!.plain;
  const product = (8 * lines * packed.columns * packed.steps) / rates[tile]!.packed;
  return product + PACKING_TEXEL * packed.texels + PACKING_DISPATCH < plain;
}

/** Multiply-adds that take a CPU about as long as the second pass that adds the parts. */
const WORTH_A_PASS = 2 ** 20;

/** Workgroups that keep a CPU busy. */
const GROUPS = 8;

/** How many parts to cut a sum into so that the CPU is busy; `together` terms of it are one step for the core. */
function splitsFor({ rows, columns, items, terms }: GemmShape, { tile }: Tiling, together = 1): number {
  const groups = Math.ceil(rows / tile[0]) * Math.ceil(columns / tile[1]) * items;
  if (groups >= GROUPS) return 1;
  const least = Math.max(LEAST_TERMS, WORTH_A_PASS / (tile[0] * tile[1]));
  return Math.max(1, Math.min(Math.floor((together * terms) / least), Math.ceil(GROUPS / groups)));
}
