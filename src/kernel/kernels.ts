/** Compiled kernels and the bind groups that show them tensors: each made at its first use, and kept. */
import { DeviceError } from '../device/errors.js';
import type { Gpu } from '../device/open.js';
import type { Pipeline, Pipelines } from '../device/pipelines.js';
import { mebibytes } from '../memory/pool.js';
import { paddedBytes, type Tensor } from '../memory/tensor.js';
import { type KernelLayout, type KernelSource, kernelKey, kernelText, parseLayout } from './source.js';
import { windowsOf } from './windows.js';

interface Compiled {
  readonly pipeline: Pipeline;
  readonly layout: KernelLayout;
  readonly bindGroups: Map<string, GPUBindGroup>;
}

/** What a dispatch needs of its kernel. */
export interface BoundKernel extends Pick<Compiled, 'pipeline' | 'layout'> {
  readonly group: GPUBindGroup;
}

/** Bind groups kept per pipeline before all of them go: far above what a training step uses. */
const BIND_GROUPS_KEPT = 4096;

export class Kernels {
  private readonly compiled = new Map<string, Compiled>();

  /** Tensors of more than `bindingBytes` are bound in windows of this size. */
  constructor(
    private readonly gpu: Gpu,
    private readonly pipelines: Pipelines,
    readonly bindingBytes: number,
  ) {}

  /** The kernel that shows the tensors, which are in the order of its bindings. */
  bind(source: KernelSource, tensors: readonly Tensor[]): BoundKernel {
    const windows = this.windows(source.file, tensors);
    const { pipeline, layout, bindGroups } = this.kernel(windows ? { ...source, windows } : source);
    let key = '';
    for (const { storage, offset, shape, dtype } of tensors) {
      key += `${storage.id}:${offset}:${paddedBytes(shape, dtype)}${dtype === 'f16' ? 'h' : ''},`;
    }
    let group = bindGroups.get(key);
    if (!group) {
      group = this.bindGroup(pipeline, layout, tensors);
      if (bindGroups.size >= BIND_GROUPS_KEPT) bindGroups.clear();
      bindGroups.set(key, group);
    }
    return { pipeline, layout, group };
  }

  /** Compiles a kernel without keeping it: its errors, none if it is valid. */
  async check(source: KernelSource): Promise<string[]> {
    const code = kernelText(source, this.gpu.readKernel);
    return this.pipelines.check(kernelKey(source), code, parseLayout(code));
  }

  /** Of the kernels compiled so far. */
  keys(): string[] {
    return [...this.compiled.keys()];
  }

  private kernel(source: KernelSource): Compiled {
    const key = kernelKey(source);
    let compiled = this.compiled.get(key);
    if (!compiled) {
      const code = kernelText(source, this.gpu.readKernel);
      const layout = parseLayout(code);
      compiled = { pipeline: this.pipelines.create(key, code, layout), layout, bindGroups: new Map() };
      this.compiled.set(key, compiled);
    }
    return compiled;
  }

  /** In how many windows each tensor is bound; undefined where every one fits into a binding. */
  private windows(file: string, tensors: readonly Tensor[]): number[] | undefined {
    const { bindingBytes } = this;
    if (tensors.every(({ shape, dtype }) => paddedBytes(shape, dtype) <= bindingBytes)) return undefined;
    const counts = tensors.map(({ shape, dtype }) => windowsOf(paddedBytes(shape, dtype), bindingBytes).length);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const { info, limits } = this.gpu;
    if (total > limits.maxStorageBuffersPerShaderStage) {
      throw new DeviceError(
        `The adapter ${info.name} shows a kernel at most ${limits.maxStorageBuffersPerShaderStage} pieces of memory of ` +
          `${mebibytes(bindingBytes)} MiB, and ${file} would need ${total}. Use a smaller batch, image size or network.`,
      );
    }
    return counts;
  }

  private bindGroup(pipeline: Pipeline, layout: KernelLayout, tensors: readonly Tensor[]): GPUBindGroup {
    const resources = tensors.flatMap(({ storage: { buffer }, offset, shape, dtype }) =>
      windowsOf(paddedBytes(shape, dtype), this.bindingBytes).map((window) => ({
        buffer,
        offset: offset + window.offset,
        size: window.size,
        dtype,
      })),
    );
    if (resources.length !== pipeline.access.length) {
      throw new Error(`kernel ${pipeline.key} binds ${pipeline.access.length} tensors, ${tensors.length} were given`);
    }
    resources.forEach(({ dtype }, binding) => {
      if ((dtype === 'f16') === layout.halves.has(binding)) return;
      throw new Error(`kernel ${pipeline.key} binds a tensor of ${dtype} at ${binding}, where its text says otherwise`);
    });
    return this.gpu.device.createBindGroup({
      layout: pipeline.storageLayout,
      entries: resources.map(({ buffer, offset, size }, binding) => ({ binding, resource: { buffer, offset, size } })),
    });
  }
}
