/**
 * The engine: what an op needs to run. It allocates tensors, dispatches kernels, moves data to the GPU and back.
 * Nothing here waits, except `read` and `sync`.
 */
import { deviceLost } from '../device/adapter.js';
import { Commands } from '../device/commands.js';
import { dryGpu } from '../device/dry.js';
import { DeviceError } from '../device/errors.js';
import type { Gpu } from '../device/open.js';
import { type Pipeline, Pipelines } from '../device/pipelines.js';
import { Readback } from '../device/readback.js';
import type { DispatchRecord, TimedPass } from '../device/timing.js';
import { fromHalf, toHalf } from '../memory/half.js';
import type { Plan as MemoryPlan } from '../memory/plan.js';
import { Pool, type PoolStatistics } from '../memory/pool.js';
import { type Kept, Scopes } from '../memory/scope.js';
import { Scratch } from '../memory/scratch.js';
import {
  boundBytes,
  byteLength,
  type DType,
  formatShape,
  paddedBytes,
  type Shape,
  sizeOf,
  type Tensor,
} from '../memory/tensor.js';
import { BY_RULE, type Capabilities, capabilities, type Plan, type Tuning } from './choose.js';
import { Kernels } from './kernels.js';
import type { KernelSource } from './source.js';

export interface Dispatch extends KernelSource {
  /** In the order of the kernel's bindings. Written ones must not share a buffer with any other. */
  readonly tensors: readonly Tensor[];
  /** By the names in the kernel's `struct Params`: each of them at least. */
  readonly params: Readonly<Record<string, number>>;
  /** Workgroups. */
  readonly grid: readonly [number, number?, number?];
  /** Floating-point operations, for profiles: of matrix products, whose speed is judged by them. */
  readonly flops?: number;
}

/** Something to compute for which there are several kernels, or several forms of one. */
export interface Work<P extends Plan = Plan> {
  /** Says what is computed, with every size that the choice depends on: equal names have equal candidates. */
  readonly name: string;
  /** What `run` binds: inputs, then the result. */
  readonly tensors: readonly Tensor[];
  /** Plans that the device can run, the one to take by rule first; of a GPU's tiles `most`, by default as many as are worth timing. */
  candidates(device: Capabilities, most?: number): readonly P[];
  /** Does it by one of them; `tensors` are the work's own, or others of the same shapes and types. */
  run(e: Engine, plan: P, tensors: readonly Tensor[]): void;
}

/** What is to be taken for the device's own. */
export interface Assumed extends Partial<Capabilities> {
  /** Bytes that one binding shows at most. */
  readonly bindingBytes?: number;
}

export class Engine {
  readonly capabilities: Capabilities;
  /** Told of each phase of work when it begins (see `mark`). */
  onMark: ((phase: string) => void) | undefined;
  private readonly pool: Pool;
  private readonly scopes: Scopes;
  private readonly kernels: Kernels;
  private readonly scratch: Scratch;
  private readonly commands: Commands;
  private readonly readback: Readback;
  private readonly plans = new Map<string, Plan>();
  private readonly tables = new Map<string, Tensor>();
  /** Why the device has stopped, if it has. */
  private lost: string | undefined;

  /**
   * `assumed` replaces what the device can do, so that every variant can be tested on one device. `tuning` says by which plan
   * to do a work: it can name plans, not make them, so a wrong one may cost time and nothing else.
   */
  constructor(
    readonly gpu: Gpu,
    assumed: Assumed = {},
    readonly tuning: Tuning = BY_RULE,
  ) {
    // Some NVIDIA drivers say of a binding of 2 GiB or more that it has no elements (crbug.com/435684920).
    const { bindingBytes = Math.min(gpu.limits.maxStorageBufferBindingSize, 2 ** 31 - 256), ...capable } = assumed;
    this.capabilities = { ...capabilities(gpu), ...capable };
    this.pool = new Pool(gpu);
    this.scopes = new Scopes(this.pool);
    const pipelines = new Pipelines(gpu);
    this.kernels = new Kernels(gpu, pipelines, bindingBytes);
    this.scratch = new Scratch(gpu, pipelines);
    this.commands = new Commands(gpu, pipelines);
    this.readback = new Readback(gpu, this.commands);
    void gpu.lost.then((info) => {
      if (info.reason !== 'destroyed') this.lost = deviceLost(gpu.info.name, info.reason, info.message);
    });
  }

  /** A tensor of undefined contents, freed at the end of the innermost scope (see `scope`). */
  empty(shape: Shape, dtype: DType = 'f32'): Tensor {
    for (const extent of shape) {
      if (!Number.isInteger(extent) || extent < 1)
        throw new Error(`a tensor cannot have the shape ${formatShape(shape)}`);
    }
    return { shape, dtype, storage: this.scopes.take(paddedBytes(shape, dtype)), offset: 0 };
  }

  /** A tensor that holds `data`, by default in the type that they have. */
  upload(
    data: Float32Array | Int32Array | Uint32Array,
    shape: Shape,
    dtype: DType = data instanceof Float32Array ? 'f32' : data instanceof Int32Array ? 'i32' : 'u32',
  ): Tensor {
    const tensor = this.empty(shape, dtype);
    this.write(tensor, data);
    return tensor;
  }

  /**
   * A small table of whole numbers for a kernel, such as offsets. It is uploaded at its first use and kept for good: a step
   * that finds its tables again uploads nothing.
   */
  table(numbers: readonly number[]): Tensor {
    const key = numbers.join();
    let table = this.tables.get(key);
    if (!table) {
      const shape = [numbers.length];
      const bytes = paddedBytes(shape, 'u32');
      const buffer = this.gpu.device.createBuffer({
        size: bytes,
        usage: GPUBufferUsage.STORAGE,
        mappedAtCreation: true,
      });
      new Uint32Array(buffer.getMappedRange()).set(numbers);
      buffer.unmap();
      // Not of the pool, whose numbers begin at 0.
      const id = -1 - this.tables.size;
      const storage = { id, buffer, bytes, planned: false, used: bytes, generation: 0, free: false };
      table = { shape, dtype: 'u32', storage, offset: 0 };
      this.tables.set(key, table);
    }
    return table;
  }

  /** Overwrites a tensor's values; a tensor of f16 gets the nearest that it can hold. What was recorded before still sees the old ones. */
  write(tensor: Tensor, data: Float32Array | Int32Array | Uint32Array): void {
    if (data.length !== sizeOf(tensor.shape)) {
      throw new Error(`${data.length} values cannot fill a tensor of shape ${formatShape(tensor.shape)}`);
    }
    this.commands.submit();
    const { buffer, byteOffset, byteLength: bytes } = tensor.dtype === 'f16' ? toHalf(data) : data;
    this.gpu.device.queue.writeBuffer(tensor.storage.buffer, tensor.offset, buffer, byteOffset, bytes);
  }

  /** The values of a tensor, after everything recorded so far. */
  async read(tensor: Tensor): Promise<Float32Array> {
    const bytes = await this.readBytes(tensor);
    if (tensor.dtype !== 'f16') return new Float32Array(bytes);
    return fromHalf(new Uint16Array(bytes, 0, sizeOf(tensor.shape)));
  }

  async readInt(tensor: Tensor): Promise<Int32Array> {
    return new Int32Array(await this.readBytes(tensor));
  }

  private async readBytes(tensor: Tensor): Promise<ArrayBuffer> {
    this.check();
    // WebGPU copies whole words.
    const length = Math.ceil(byteLength(tensor.shape, tensor.dtype) / 4) * 4;
    const bytes = await this.readback.read(tensor.storage.buffer, tensor.offset, length);
    this.check();
    return bytes;
  }

  /** Frees at its end what was allocated inside, except what it returns. */
  scope<T extends Kept>(body: () => T): T {
    return this.scopes.run(body);
  }

  /** Gives a tensor's memory back before its scope ends, or at last if it has none. */
  release(tensor: Tensor): void {
    this.scopes.release(tensor);
  }

  /** Does a work: by the plan that the tuning names, else by the first of its candidates. */
  perform<P extends Plan>(work: Work<P>): void {
    let plan = this.plans.get(work.name) as P | undefined;
    if (!plan) {
      plan = this.choose(work);
      this.plans.set(work.name, plan);
    }
    work.run(this, plan, work.tensors);
  }

  private choose<P extends Plan>(work: Work<P>): P {
    const candidates = work.candidates(this.capabilities);
    const wanted = this.tuning.plans.get(work.name);
    const plan = candidates.find(({ name }) => name === wanted);
    if (!plan && wanted !== undefined) this.tuning.unknown?.(work.name, wanted);
    return plan ?? candidates[0]!;
  }

  /**
   * Makes the scratch texture hold so many texels, for a dispatch that packs and those after it that read: what it held
   * before is lost if it has to grow: gives back whether it is still there. At most `MOST_TEXELS`.
   */
  reserveScratch(texels: number): boolean {
    if (this.scratch.has(texels)) return true;
    this.commands.submit();
    this.scratch.grow(texels);
    return false;
  }

  /**
   * Plans the memory of a job that will be done again and again: `prepare` gets an engine that is like this one but does
   * nothing, and gives back the job to rehearse on it.
   */
  rehearse(prepare: (dry: Engine) => () => void): MemoryPlan {
    const assumed = { ...this.capabilities, bindingBytes: this.kernels.bindingBytes };
    const dry = new Engine(dryGpu(this.gpu), assumed, this.tuning);
    return dry.pool.rehearse(prepare(dry));
  }

  /** Does a job in the buffers of its plan. */
  follow<T>(plan: MemoryPlan, job: () => T): T {
    return this.pool.follow(plan, job);
  }

  /** Gives back the memory of a plan that will not be followed again. */
  forget(plan: MemoryPlan): void {
    this.commands.submit();
    this.pool.forget(plan);
  }

  /** Records one run of a kernel. */
  dispatch(run: Dispatch): void {
    const tensors = run.inPlace ? run.tensors.filter((_, i) => i !== run.inPlace![0]) : run.tensors;
    const { pipeline, layout, group } = this.kernels.bind(run, tensors);
    const [x, y = 1, z = 1] = run.grid;
    const { params } = run;
    const write = (view: DataView, at: number): void => {
      for (const field of layout.params) {
        const value = params[field.name];
        if (value === undefined) throw new Error(`kernel ${pipeline.key} needs the parameter ${field.name}`);
        if (field.type === 'f32') view.setFloat32(at, value, true);
        else if (field.type === 'i32') view.setInt32(at, value, true);
        else view.setUint32(at, value, true);
        at += 4;
      }
    };
    const grid = [x, y, z] as const;
    this.commands.dispatch(
      pipeline,
      group,
      write,
      grid,
      pipeline.scratch && this.scratch.bindGroup(pipeline.scratch),
      this.commands.timing ? recordOf(pipeline, grid, run) : undefined,
    );
  }

  /** Says that what is recorded from here on is a phase of its own, such as 'D backward'. Only a profile listens. */
  mark(phase: string): void {
    this.onMark?.(phase);
  }

  /** Sends what is recorded to the GPU, so that it starts. */
  submit(): void {
    this.commands.submit();
  }

  /** Waits until the GPU has done everything recorded so far; throws what it complained about. */
  async sync(): Promise<void> {
    this.commands.submit();
    await this.gpu.wait(this.gpu.device.queue.onSubmittedWorkDone());
    this.check();
  }

  /** Bytes of the largest tensor that a kernel can be shown: one buffer, in as many windows as there are bindings. */
  get largestTensor(): number {
    const { maxBufferSize, maxStorageBuffersPerShaderStage } = this.gpu.limits;
    return Math.min(maxBufferSize, maxStorageBuffersPerShaderStage * this.kernels.bindingBytes);
  }

  memory(): PoolStatistics {
    const { bytes, inUse, peak, allocations } = this.pool.statistics();
    const scratch = this.scratch.bytes;
    return { bytes: bytes + scratch, inUse, peak: peak + scratch, allocations };
  }

  counters(): { readonly dispatches: number; readonly submits: number; readonly pipelines: number } {
    const { dispatches, submits } = this.commands;
    return { dispatches, submits, pipelines: this.kernels.keys().length };
  }

  /** From here to `endTiming` each dispatch is timed on the GPU by itself (`timestamp-query`). */
  beginTiming(): void {
    this.commands.beginTiming();
  }

  endTiming(): Promise<TimedPass[]> {
    return this.commands.endTiming();
  }

  /** Compiles a kernel without running it: its errors, none if it is valid. */
  compile(kernel: KernelSource): Promise<string[]> {
    return this.kernels.check(kernel);
  }

  /** The kernels compiled so far, by key. */
  compiledKernels(): string[] {
    return this.kernels.keys();
  }

  /** Throws what went wrong on the GPU since the last look, if anything did. */
  private check(): void {
    if (this.lost !== undefined) throw new DeviceError(this.lost);
    const error = this.gpu.error();
    if (!error) return;
    if (error instanceof GPUOutOfMemoryError) {
      throw new DeviceError(
        `The adapter ${this.gpu.info.name} is out of memory. Use a smaller batch, image size or network.`,
      );
    }
    throw new DeviceError(`The GPU refused a command: ${error.message}`);
  }
}

const recordOf = ({ key }: Pipeline, grid: DispatchRecord['grid'], { tensors, flops }: Dispatch): DispatchRecord => ({
  label: key,
  grid,
  shapes: tensors.map(({ shape }) => shape),
  bytes: boundBytes(tensors),
  flops,
});

/** Workgroups for one invocation per item, folded into two dimensions where one would pass WebGPU's limit of 65 535. */
export function gridFor(items: number, workgroup: number): [number, number] {
  const groups = Math.ceil(items / workgroup);
  if (groups <= 65535) return [groups, 1];
  const rows = Math.ceil(groups / 65535);
  return [Math.ceil(groups / rows), rows];
}
