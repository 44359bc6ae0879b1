/** Which variant of a kernel to run: what devices can do, and plans to choose from. The rules are in choose/: pure functions. */
import type { Gpu } from '../device/open.js';

export interface Capabilities {
  /** A driver that runs on the CPU: few cores, no fast workgroup memory. */
  readonly software: boolean;
  /** Invocations of a subgroup where that is always 4 or always 8, as on CPU adapters; else 0. */
  readonly lanes: 0 | 4 | 8;
  /** Kernels can read and write f16 (`shader-f16`). */
  readonly f16: boolean;
  /** Memory that a workgroup can share. */
  readonly workgroupBytes: number;
  /** What a subgroup can multiply at once, f16 in and f32 out; null where it can't. */
  readonly matrix: MatrixUnit | null;
}

/** C[M, N] += A[M, K] B[K, N], by the `lanes` invocations of a subgroup together. */
export interface MatrixUnit {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly lanes: number;
}

/** What every device can do that runs WebGPU: what nothing optional is added to. */
export const BASE: Capabilities = { software: false, lanes: 0, f16: false, workgroupBytes: 16384, matrix: null };

/** What an opened device says of itself, as far as kernels are concerned. */
export interface Offer extends Pick<Gpu, 'features'> {
  readonly info: Pick<Gpu['info'], 'software' | 'subgroupMin' | 'subgroupMax' | 'subgroupMatrices'>;
  readonly limits: Pick<Gpu['limits'], 'maxComputeWorkgroupStorageSize'>;
}

export function capabilities(gpu: Offer): Capabilities {
  const { software, subgroupMin, subgroupMax } = gpu.info;
  const fixed = gpu.features.has('subgroups') && subgroupMin === subgroupMax;
  return {
    software,
    lanes: fixed && (subgroupMin === 4 || subgroupMin === 8) ? subgroupMin : 0,
    f16: gpu.features.has('shader-f16'),
    workgroupBytes: gpu.limits.maxComputeWorkgroupStorageSize,
    matrix: fixed ? matrixUnit(gpu) : null,
  };
}

/**
 * The largest of the adapter's subgroup matrices that kernels/lib/gemm_matrix.wgsl can be built of: they multiply f16 and sum in
 * f32, so that mixed precision keeps its sums; and tiles, whose sides are multiples of 16, are whole matrices.
 */
function matrixUnit({ info, features }: Offer): MatrixUnit | null {
  if (!features.has('chromium-experimental-subgroup-matrix') || !features.has('shader-f16')) return null;
  const lanes = info.subgroupMin;
  if (lanes < 8 || lanes > 64) return null;
  const size = ({ M, N, K }: { M: number; N: number; K: number }): number => M * N * K;
  const [best] = info.subgroupMatrices
    .filter(({ componentType, resultComponentType }) => componentType === 'f16' && resultComponentType === 'f32')
    .filter(({ M, N, K }) => [M, N, K].every((side) => side === 8 || side === 16))
    .sort((a, b) => size(b) - size(a));
  return best ? { M: best.M, N: best.N, K: best.K, lanes } : null;
}

/** One way to compute something: plain data, so that it can be listed, timed, written down and found again. */
export interface Plan {
  /** Says what the plan is, and tells it from all others for the same work. */
  readonly name: string;
}

/** What was measured to be the fastest on a device. */
export interface Tuning {
  /** Under tunings of one id, the same device computes the same bits. */
  readonly id: string;
  /** Names of plans by the names of works (see engine.ts). For a work that is missing the rule chooses. */
  readonly plans: ReadonlyMap<string, string>;
  /** Told of a plan that is none of those for its work on this device; the rule chooses then. */
  readonly unknown?: (work: string, plan: string) => void;
}

/** The rules alone. */
export const BY_RULE: Tuning = { id: 'none', plans: new Map() };

/** The first of each name, in order. */
export function distinct<P extends Plan>(plans: readonly P[]): P[] {
  const seen = new Set<string>();
  return plans.filter(({ name }) => !seen.has(name) && seen.add(name));
}
