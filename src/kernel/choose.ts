/** Which variant of a kernel to run: what devices can do, and plans to choose from. The rules are in choose/: pure functions. */
import type { Gpu } from '../device/open.js';

export interface Capabilities {
  /** A driver that runs on the CPU: few cores, no fast workgroup memory. */
  readonly software: boolean;
  /** Invocations of a subgroup where that is always 4 or always 8, as on CPU adapters; else 0. */
  readonly lanes: 0 | 4 | 8;
  /** Kernels can read and write f16 (`shader-f16`). */
  readonly f16: boolean;
}

export function capabilities(gpu: Pick<Gpu, 'info' | 'features'>): Capabilities {
  const { software, subgroupMin, subgroupMax } = gpu.info;
  const fixed = gpu.features.has('subgroups') && subgroupMin === subgroupMax;
  return {
    software,
    lanes: fixed && (subgroupMin === 4 || subgroupMin === 8) ? subgroupMin : 0,
    f16: gpu.features.has('shader-f16'),
  };
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
