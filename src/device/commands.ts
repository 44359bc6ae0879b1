/**
 * One encoder and one compute pass that everything is recorded into, submitted when somebody needs the results.
 * Uniform blocks of all dispatches between two submits lie in one arena, written once before the submit.
 */
import type { Gpu } from './open.js';
import { type Pipeline, type Pipelines, UNIFORM_BLOCK } from './pipelines.js';
import { type DispatchRecord, PassTimer, type TimedPass } from './timing.js';

/**
 * Dispatches between two submits: few at first, so that the GPU starts early, then twice as many each time, so that the cost of
 * submits vanishes.
 */
const FIRST_SUBMIT = 16;
const DISPATCHES_PER_SUBMIT = 128;

export class Commands {
  /** Counters of what was recorded since the start. */
  dispatches = 0;
  submits = 0;
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private current: GPUComputePipeline | undefined;
  private timer: PassTimer | undefined;
  private recorded = 0;
  private submitAt = FIRST_SUBMIT;
  private readonly block = new ArrayBuffer(UNIFORM_BLOCK * DISPATCHES_PER_SUBMIT);
  private readonly view = new DataView(this.block);
  private readonly arena: GPUBuffer;
  private readonly uniforms: GPUBindGroup;
  private readonly dynamicOffset = [0];

  constructor(
    private readonly gpu: Gpu,
    pipelines: Pipelines,
  ) {
    this.arena = gpu.device.createBuffer({
      size: this.block.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.uniforms = gpu.device.createBindGroup({
      layout: pipelines.uniformLayout,
      entries: [{ binding: 0, resource: { buffer: this.arena, size: UNIFORM_BLOCK } }],
    });
  }

  /** Whether dispatches are being timed, and `dispatch` therefore wants records. */
  get timing(): boolean {
    return this.timer !== undefined;
  }

  /**
   * Records one dispatch; `write` fills its uniform block, which begins at the byte it is given. `scratch` is bound as group 2
   * for the kernels that have one. With a `record` it is timed, if anything is.
   */
  dispatch(
    pipeline: Pipeline,
    storages: GPUBindGroup,
    write: (view: DataView, offset: number) => void,
    grid: readonly [number, number, number],
    scratch: GPUBindGroup | undefined,
    record?: DispatchRecord,
  ): void {
    if (this.recorded === this.submitAt) {
      this.flush();
      this.submitAt = Math.min(2 * this.submitAt, DISPATCHES_PER_SUBMIT);
    }
    const offset = this.recorded++ * UNIFORM_BLOCK;
    write(this.view, offset);
    const pass = record ? this.timedPass(record) : this.openPass();
    if (this.current !== pipeline.pipeline) {
      pass.setPipeline(pipeline.pipeline);
      this.current = pipeline.pipeline;
    }
    pass.setBindGroup(0, storages);
    this.dynamicOffset[0] = offset;
    pass.setBindGroup(1, this.uniforms, this.dynamicOffset);
    if (scratch) pass.setBindGroup(2, scratch);
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    this.dispatches++;
    if (record) this.closePass();
  }

  /** Records a copy between buffers (ends the pass). */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    this.closePass();
    this.openEncoder().copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
  }

  /** Sends everything recorded to the GPU. Does not wait. */
  submit(): void {
    this.flush();
    this.submitAt = FIRST_SUBMIT;
  }

  private flush(): void {
    if (!this.encoder) return;
    this.closePass();
    const { queue } = this.gpu.device;
    if (this.recorded > 0) queue.writeBuffer(this.arena, 0, this.block, 0, this.recorded * UNIFORM_BLOCK);
    queue.submit([this.encoder.finish()]);
    this.encoder = undefined;
    this.recorded = 0;
    this.submits++;
  }

  /** From now to `endTiming`, every dispatch is timed on its own. Needs the feature `timestamp-query`. */
  beginTiming(): void {
    this.submit();
    this.timer = new PassTimer(this.gpu);
  }

  async endTiming(): Promise<TimedPass[]> {
    this.submit();
    const { timer } = this;
    this.timer = undefined;
    if (!timer) return [];
    const passes = await timer.read();
    timer.destroy();
    return passes;
  }

  private openEncoder(): GPUCommandEncoder {
    this.encoder ??= this.gpu.device.createCommandEncoder();
    return this.encoder;
  }

  private openPass(): GPUComputePassEncoder {
    this.pass ??= this.openEncoder().beginComputePass();
    return this.pass;
  }

  private timedPass(record: DispatchRecord): GPUComputePassEncoder {
    this.closePass();
    const timestampWrites = this.timer?.next(record);
    this.pass = this.openEncoder().beginComputePass(timestampWrites ? { timestampWrites } : {});
    return this.pass;
  }

  private closePass(): void {
    this.pass?.end();
    this.pass = undefined;
    this.current = undefined;
  }
}
