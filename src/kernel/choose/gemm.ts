/** In what tiles, and in how many parts of the sum, a matrix product is computed. */
import { MOST_TEXELS } from '../../memory/scratch.js';
import { type Capabilities, distinct, type Plan } from '../choose.js';

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

export interface GemmPlan extends Plan {
  /** The core: kernels/lib/gemm_<core>.wgsl. */
  readonly core: 'broadcast' | 'packed' | 'packed_alone' | 'registers' | 'shared';
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** Rows and columns of C that one workgroup computes. */
  readonly tile: readonly [number, number];
  /** Parts that the sum is cut into, for a second pass to add. */
  readonly splits: number;
}

/** A plan but for the cut of the sum. */
type Tiling = Pick<GemmPlan, 'core' | 'constants' | 'tile'>;

/**
 * Plans that this device can run for this shape, the first being the one to take where nothing was measured: by rule the
 * smallest tile that holds the rows, and a sum cut so often that the device is busy.
 */
export function gemmCandidates(device: Capabilities, shape: GemmShape, packed?: PackedShape): readonly GemmPlan[] {
  const plans = plainCandidates(device, shape);
  if (!packed || !fetchesTexels(device, packed)) return plans;
  const packedPlans = packedCandidates(device, shape, packed);
  return packingPays(device, shape, packed) ? [...packedPlans, ...plans] : [...plans, ...packedPlans];
}

function plainCandidates(device: Capabilities, shape: GemmShape): readonly GemmPlan[] {
  const [first, ...others] = tilings(device, shape);
  const splits = splitsFor(device, shape, first!);
  const cuts = [splits, 2 * splits, Math.ceil(splits / 2)].filter((n) => n === 1 || n * LEAST_TERMS <= shape.terms);
  return distinct([
    ...cuts.map((n) => planOf(first!, n)),
    ...others.map((tiling) => planOf(tiling, splitsFor(device, shape, tiling))),
  ]);
}

/** Whether the device may fetch texels faster than it loads, and can hold so many. */
const fetchesTexels = ({ software }: Capabilities, { texels }: PackedShape): boolean =>
  software && texels <= MOST_TEXELS;

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
function packingPays(
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

function packedCandidates(device: Capabilities, shape: GemmShape, packed: PackedShape): GemmPlan[] {
  const product = { ...shape, columns: packed.columns, terms: packed.steps };
  const tilings = device.lanes === 0 ? aloneTilings(product) : packedTilings(device.lanes, product);
  return distinct(tilings.map((tiling) => planOf(tiling, splitsFor(device, product, tiling, LEAST_TERMS / 4))));
}

function packedTilings(LANES: 4 | 8, { rows, columns }: GemmShape): Tiling[] {
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

const aloneTilings = ({ columns }: GemmShape): Tiling[] =>
  [4, 2, 1]
    .filter((COLUMNS) => COLUMNS === 1 || columns > 16 * COLUMNS)
    .map((COLUMNS) => ({ core: 'packed_alone', constants: { COLUMNS }, tile: [8, 32 * COLUMNS] }));

const planOf = (tiling: Tiling, splits: number): GemmPlan => ({
  name: `${tiling.core} ${tiling.tile.join('x')}${splits > 1 ? ` in ${splits} parts` : ''}`,
  ...tiling,
  splits,
});

function tilings(device: Capabilities, shape: GemmShape): readonly Tiling[] {
  const { lanes } = device;
  if (lanes !== 0) return [...broadcastTilings(lanes, shape), ...registerTilings(shape)];
  return device.software ? registerTilings(shape) : sharedTilings(shape);
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

const sharedTilings = ({ sumContiguous }: GemmShape): Tiling[] => [
  { core: 'shared', constants: { B_ALONG_K: sumContiguous }, tile: [64, 64] },
];

/** The least of `sizes` that holds `extent`, or the last. */
const fitting = (extent: number, sizes: readonly number[]): number =>
  sizes.find((size) => size >= extent) ?? sizes.at(-1)!;

/** A part of a sum is to be worth a workgroup's while. */
const LEAST_TERMS = 64;

/** How many parts to cut a sum into so that the device is busy. */
function splitsFor(
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
