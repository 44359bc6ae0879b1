/** GPU time by timestamp query: each timed dispatch is a compute pass of its own, with a stamp before and after it. */
import type { Gpu } from './open.js';

export interface TimedPass {
  readonly label: string;
  readonly milliseconds: number;
}

export class PassTimer {
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly staging: GPUBuffer;
  private labels: string[] = [];

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
  next(label: string): GPUComputePassTimestampWrites | undefined {
    const index = this.labels.length;
    if (index >= this.capacity) return undefined;
    this.labels.push(label);
    return { querySet: this.querySet, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 };
  }

  /** The passes since the last call, in order. The encoder that holds them must have been submitted. */
  async read(): Promise<TimedPass[]> {
    const { device } = this.gpu;
    const labels = this.labels;
    this.labels = [];
    if (labels.length === 0) return [];
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(this.querySet, 0, 2 * labels.length, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, this.staging, 0, 16 * labels.length);
    device.queue.submit([encoder.finish()]);
    await this.gpu.wait(this.staging.mapAsync(GPUMapMode.READ, 0, 16 * labels.length));
    const stamps = new BigUint64Array(this.staging.getMappedRange(0, 16 * labels.length).slice(0));
    this.staging.unmap();
    return labels.map((label, i) => ({ label, milliseconds: Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e6 }));
  }

  destroy(): void {
    this.querySet.destroy();
    this.resolved.destroy();
    this.staging.destroy();
  }
}
