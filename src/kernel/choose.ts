/** Which variant of a kernel to run: pure functions of shapes and of what the device can do. */
import type { Gpu } from '../device/open.js';

export interface Capabilities {
  /** A driver that runs on the CPU: few cores, no fast workgroup memory. */
  readonly software: boolean;
  /** Invocations of a subgroup where that is always 4 or always 8, as on CPU adapters; else 0. */
  readonly lanes: 0 | 4 | 8;
}

export function capabilities(gpu: Pick<Gpu, 'info' | 'features'>): Capabilities {
  const { software, subgroupMin, subgroupMax } = gpu.info;
  const fixed = gpu.features.has('subgroups') && subgroupMin === subgroupMax;
  return {
    software,
    lanes: fixed && (subgroupMin === 4 || subgroupMin === 8) ? subgroupMin : 0,
  };
}

/** A product C[rows, columns] = A B, `items` times, each element a sum of `terms`. */
export interface GemmShape {
  readonly rows: number;
  readonly columns: number;
  readonly items: number;
  readonly terms: number;
  /** Whether neighbouring elements of B in memory are neighbours in the sum, rather than neighbouring columns. */
  readonly sumContiguous: boolean;
}

export interface GemmPlan {
  /** Library file with the core. */
  readonly core: 'lib/gemm_broadcast' | 'lib/gemm_registers' | 'lib/gemm_shared';
  readonly enable: readonly string[];
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** Rows and columns of C that one workgroup computes. */
  readonly tile: readonly [number, number];
  readonly splits: number;
}

/** The least of `sizes` that holds `extent`, or the last. */
const fitting = (extent: number, sizes: readonly number[]): number =>
  sizes.find((size) => size >= extent) ?? sizes.at(-1)!;

export function gemmPlan(device: Capabilities, shape: GemmShape): GemmPlan {
  const variant = gemmVariant(device, shape);
  const [tileRows, tileColumns] = variant.tile;
  const groups = Math.ceil(shape.rows / tileRows) * Math.ceil(shape.columns / tileColumns) * shape.items;
  return { ...variant, splits: splitsFor(shape, groups, device.software ? 8 : 256) };
}

function gemmVariant(device: Capabilities, { rows, columns, sumContiguous }: GemmShape): Omit<GemmPlan, 'splits'> {
  if (device.lanes > 0) {
    const LANES = device.lanes;
    const ROWS = fitting(
      rows,
      [4, 8, 16, 32].filter((size) => size <= 4 * LANES),
    );
    // Two groups of columns share each value of A: a fifth faster on lavapipe, no gain on SwiftShader.
    const COLUMNS = LANES === 8 && columns > 4 * LANES ? 2 : 1;
    return {
      core: 'lib/gemm_broadcast',
      enable: ['subgroups'],
      constants: { LANES, ROWS, COLUMNS },
      tile: [ROWS, 4 * LANES * COLUMNS],
    };
  }
  if (device.software) {
    const ROWS = fitting(rows, [4, 8]);
    const GROUP_COLUMNS = fitting(columns, [32, 64]) / 8;
    return {
      core: 'lib/gemm_registers',
      enable: [],
      constants: { ROWS, GROUP_COLUMNS, GROUP_ROWS: 1 },
      tile: [ROWS, 8 * GROUP_COLUMNS],
    };
  }
  return { core: 'lib/gemm_shared', enable: [], constants: { B_ALONG_K: sumContiguous }, tile: [64, 64] };
}

/** How many parts to cut a sum into so that `wanted` workgroups are busy, each with 64 terms at least. */
function splitsFor({ terms }: GemmShape, groups: number, wanted: number): number {
  if (groups >= wanted) return 1;
  return Math.max(1, Math.min(Math.floor(terms / 64), Math.ceil(wanted / groups)));
}
