/** GPU time by timestamp query: each timed dispatch is a compute pass of its own, with a stamp before and after it. */
import type { Gpu } from './open.js';

/** What is known of a dispatch before it runs. */
export interface DispatchRecord {
  /** The kernel's key. */
  readonly label: string;
  /** Workgroups. */
  readonly grid: readonly [number, number, number];
  /** Of the tensors bound, in the order of the bindings. */
  readonly shapes: readonly (readonly number[])[];
  /** Bytes of all that is bound; what is bound twice counts once. */
  readonly bytes: number;
  /** Floating-point operations, where the op tells. */
  readonly flops: number | undefined;
}

export interface TimedPass extends DispatchRecord {
  /** When it began: milliseconds after the first pass did. */
  readonly start: number;
  readonly milliseconds: number;
}

export class PassTimer {
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly staging: GPUBuffer;
  private records: DispatchRecord[] = [];

  constructor(
    private readonly gpu: Gpu,
    private readonly capacity = 2048,
  ) {
    const { device } = gpu;
    this.querySet = device.createQuerySet({ type: 'timestamp', count: 2 * capacity });
    const size = 16 * capacity;
    this.resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    this.staging = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  }

  /** Where the next pass writes its stamps; undefined when no room is left. */
  next(record: DispatchRecord): GPUComputePassTimestampWrites | undefined {
    const index = this.records.length;
    if (index >= this.capacity) return undefined;
    this.records.push(record);
    return { querySet: this.querySet, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 };
  }

  /** The passes since the last call, in order. The encoder that holds them must have been submitted. */
  async read(): Promise<TimedPass[]> {
    const { device } = this.gpu;
    const records = this.records;
    this.records = [];
    if (records.length === 0) return [];
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(this.querySet, 0, 2 * records.length, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, this.staging, 0, 16 * records.length);
    device.queue.submit([encoder.finish()]);
    await this.gpu.wait(this.staging.mapAsync(GPUMapMode.READ, 0, 16 * records.length));
    const stamps = new BigUint64Array(this.staging.getMappedRange(0, 16 * records.length).slice(0));
    this.staging.unmap();
    const between = (from: number, to: number): number => Number(stamps[to]! - stamps[from]!) / 1e6;
    return withoutOverlap(
      records.map((record, i) => ({
        ...record,
        start: between(0, 2 * i),
        milliseconds: between(2 * i, 2 * i + 1),
      })),
    );
  }

  destroy(): void {
    this.querySet.destroy();
    this.resolved.destroy();
    this.staging.destroy();
  }
}

/**
 * A GPU may stamp the beginning of a pass while it still computes the one before (Dawn stamps at the top of the pipe). What
 * overlaps is counted once, so that the times of passes add up to no more than what they took together.
 */
export function withoutOverlap<T extends Pick<TimedPass, 'start' | 'milliseconds'>>(passes: readonly T[]): T[] {
  let reached = Number.NEGATIVE_INFINITY;
  return passes.map((pass) => {
    const start = Math.max(pass.start, reached);
    reached = Math.max(start, pass.start + pass.milliseconds);
    return { ...pass, start, milliseconds: reached - start };
  });
}
