/** Tiles for GPUs: large ones share more loads, small ones keep more cores busy. Reckoned, not measured: see bench/NOTES.md. */
import type { Capabilities, MatrixUnit } from '../choose.js';
import { type Cut, type GemmShape, LEAST_TERMS, type Tiling } from './tiling.js';

/** What a rule knows of a tiling besides what the kernel does. */
interface Option {
  readonly tiling: Tiling;
  /** Of a workgroup. */
  readonly invocations: number;
  /** Multiply-adds that a busy core is supposed to do of this tile, while a core could do 1 in f32 if it never waited for loads. */
  readonly speed: number;
}

/** Multiprocessors that a GPU is supposed to have: an H100 has 132, smaller ones lose little by more and smaller tiles. */
const CORES = 128;

/** Invocations that keep a core busy, however many workgroups they belong to. */
const BUSY = 256;

/** Tiles that are offered unless more are asked for: with more, tuning takes long. */
const MOST = 6;

/**
 * The best by rule first: of least time, as far as that can be reckoned. Subgroup matrices multiply f16, so they are for
 * operands that are stored in it, and nothing that is kept in f32 ever gets less.
 */
export function hardwareCuts(device: Capabilities, shape: GemmShape, most = MOST): Cut[] {
  const shared = ranked(shape, sharedOptions(device, shape));
  if (!device.matrix || !shape.halves) return shared.slice(0, most);
  const matrices = ranked(shape, matrixOptions(device, device.matrix, shape));
  return [...matrices.slice(0, most - 2), ...shared.slice(0, 2)];
}

const ranked = (shape: GemmShape, options: readonly Option[]): Cut[] =>
  options
    .map((option) => ({ option, ...bestCut(shape, option) }))
    .sort((a, b) => a.time - b.time)
    .map(({ option, splits }) => [option.tiling, splits]);

/** Tiles of kernels/lib/gemm_shared.wgsl, with the groups of four rows and of four columns that an invocation computes. */
const SHARED_TILES = [
  { tile: [128, 128], groups: [2, 2], step: 8, speed: 0.7 },
  { tile: [64, 128], groups: [2, 2], step: 8, speed: 0.62 },
  { tile: [128, 64], groups: [2, 2], step: 8, speed: 0.62 },
  { tile: [64, 64], groups: [2, 2], step: 8, speed: 0.55 },
  { tile: [64, 64], groups: [1, 1], step: 16, speed: 0.4 },
  { tile: [32, 128], groups: [1, 2], step: 8, speed: 0.45 },
  { tile: [32, 64], groups: [1, 1], step: 16, speed: 0.35 },
  { tile: [16, 256], groups: [1, 2], step: 8, speed: 0.4 },
  { tile: [16, 64], groups: [1, 1], step: 16, speed: 0.25 },
] as const;

function sharedOptions({ workgroupBytes }: Capabilities, { sumContiguous }: GemmShape): Option[] {
  return SHARED_TILES.map(({ tile, groups, step, speed }) => {
    const [TILE_ROWS, TILE_COLUMNS] = tile;
    const [ROW_GROUPS, COLUMN_GROUPS] = groups;
    const staging = { TILE_ROWS, TILE_COLUMNS, K_STEP: step, STAGED: 'vec4f', PADDING: 1 };
    const tiling: Tiling = {
      core: 'shared',
      constants: {
        ...staging,
        STAGES: 2 * stageBytes(staging) <= workgroupBytes ? 2 : 1,
        ROW_GROUPS,
        COLUMN_GROUPS,
        B_ALONG_K: sumContiguous,
      },
      tile,
      piece: [4 * ROW_GROUPS, 4 * COLUMN_GROUPS],
    };
    return { tiling, invocations: (TILE_ROWS * TILE_COLUMNS) / (16 * ROW_GROUPS * COLUMN_GROUPS), speed };
  });
}

/** Tiles of kernels/lib/gemm_matrix.wgsl: subgroups down and across, and the block of each. They wait for loads, so these count. */
const MATRIX_TILES = [
  { down: 2, across: 4, block: [64, 32], speed: 3.2 },
  { down: 2, across: 2, block: [32, 64], speed: 2.1 },
  { down: 2, across: 2, block: [64, 32], speed: 2.1 },
  { down: 2, across: 2, block: [32, 32], speed: 1.6 },
  { down: 1, across: 4, block: [32, 32], speed: 1.3 },
  { down: 2, across: 2, block: [16, 16], speed: 0.8 },
  { down: 1, across: 4, block: [16, 32], speed: 0.7 },
] as const;

/** Steps of the sum that are staged at a time: whole matrices of each size that a unit may have. */
const MATRIX_STEP = 32;

/** Invocations that every device allows a workgroup. */
const MOST_INVOCATIONS = 256;

function matrixOptions({ workgroupBytes }: Capabilities, unit: MatrixUnit, { sumContiguous }: GemmShape): Option[] {
  return MATRIX_TILES.flatMap(({ down: DOWN, across: ACROSS, block, speed }) => {
    const tile = [DOWN * block[0], ACROSS * block[1]] as const;
    const staging = {
      TILE_ROWS: tile[0],
      TILE_COLUMNS: tile[1],
      K_STEP: MATRIX_STEP,
      STAGED: 'vec4h',
      PADDING: 2,
    };
    const invocations = DOWN * ACROSS * unit.lanes;
    const results = DOWN * ACROSS * unit.M * (unit.N + 4) * 4;
    const stages = Math.floor((workgroupBytes - results) / stageBytes(staging));
    if (stages < 1 || invocations > MOST_INVOCATIONS) return [];
    const constants = {
      ...staging,
      STAGES: Math.min(2, stages),
      DOWN,
      ACROSS,
      MATRIX_M: unit.M,
      MATRIX_N: unit.N,
      MATRIX_K: unit.K,
      LANES: unit.lanes,
      B_ALONG_K: sumContiguous,
    };
    return [{ tiling: { core: 'matrix', constants, tile }, invocations, speed }];
  });
}

/** Bytes that kernels/lib/gemm_staging.wgsl needs for a stage. */
const stageBytes = (staging: Readonly<Record<'TILE_ROWS' | 'TILE_COLUMNS' | 'K_STEP' | 'PADDING', number>>): number =>
  // A line is longer by 16 bytes, of whatever type its vectors are.
  staging.K_STEP * ((16 / staging.PADDING) * ((staging.TILE_ROWS + staging.TILE_COLUMNS) / 4) + 32);

/** So many parts that each core has one workgroup, or two, or a few more: what takes least time. */
function bestCut(shape: GemmShape, option: Option): { readonly splits: number; readonly time: number } {
  const most = Math.max(1, Math.floor(shape.terms / LEAST_TERMS));
  const tiles = tilesOf(shape, option);
  return [0, 1, 2, 3, 4, 8]
    .map((each) => Math.min(most, Math.max(1, Math.floor((each * CORES) / tiles))))
    .map((splits) => ({ splits, time: reckonedTime(shape, option, splits) }))
    .reduce((best, cut) => (cut.time < best.time ? cut : best));
}

const tilesOf = ({ rows, columns, items }: GemmShape, { tiling: { tile } }: Option): number =>
  Math.ceil(rows / tile[0]) * Math.ceil(columns / tile[1]) * items;

/** What a second pass costs in multiply-adds of one core: its dispatch, each value that it loads, and each wait for a part. */
const PASS = 1_000_000;
const VALUE = 50;
const PART = 20_000;

/**
 * In multiply-adds of one core: the tiles that fall to the busiest core, each the whole of its values whether they lie in the
 * matrix or not, and the second pass where there is one.
 */
function reckonedTime(shape: GemmShape, option: Option, splits: number): number {
  const { rows, columns, items, terms } = shape;
  const { tiling, invocations, speed } = option;
  const groups = Math.ceil((tilesOf(shape, option) * splits) / CORES);
  const busy = Math.min(1, (groups * invocations) / BUSY);
  const product = (groups * tiling.tile[0] * tiling.tile[1] * Math.ceil(terms / splits)) / (speed * busy);
  const second = PASS + PART * splits + (VALUE * rows * columns * items * splits) / CORES;
  return product + (splits > 1 ? second : 0);
}
