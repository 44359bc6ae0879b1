/**
 * Compute pipelines with explicit layouts: storage buffers in group 0, one uniform block with a dynamic offset in group 1, and
 * in group 2, for the kernels that use it, the scratch texture.
 */
import { DeviceError } from './errors.js';
import type { Gpu } from './open.js';

export interface Pipeline {
  readonly key: string;
  readonly pipeline: GPUComputePipeline;
  readonly storageLayout: GPUBindGroupLayout;
  readonly access: readonly ('read' | 'read_write')[];
  readonly scratch: ScratchAccess | undefined;
}

export type ScratchAccess = 'read' | 'write';

/** What a pipeline is made for, as its kernel's text says. */
export interface PipelineLayout {
  readonly bindings: readonly ('read' | 'read_write')[];
  readonly scratch: ScratchAccess | undefined;
}

/** Bytes of the uniform block that a dispatch sees; also the step between two blocks. */
export const UNIFORM_BLOCK = 256;

export class Pipelines {
  readonly uniformLayout: GPUBindGroupLayout;
  readonly scratchLayouts: Readonly<Record<ScratchAccess, GPUBindGroupLayout>>;
  private readonly storageLayouts = new Map<string, GPUBindGroupLayout>();

  constructor(private readonly gpu: Gpu) {
    this.uniformLayout = gpu.device.createBindGroupLayout({
      entries: [
        {
          binding: 0,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: 0 },
        },
      ],
    });
    this.scratchLayouts = { read: this.scratchLayout('read-only'), write: this.scratchLayout('write-only') };
  }

  /** Compiles. Errors in the shader are reported by the device: see `check` for a promise of them. */
  create(key: string, code: string, { bindings: access, scratch }: PipelineLayout): Pipeline {
    const { device, limits } = this.gpu;
    if (access.length > limits.maxStorageBuffersPerShaderStage) {
      throw new DeviceError(
        `Kernel ${key} binds ${access.length} buffers, the adapter ${this.gpu.info.name} allows ` +
          `${limits.maxStorageBuffersPerShaderStage}.`,
      );
    }
    const storageLayout = this.storageLayout(access);
    const bindGroupLayouts = [storageLayout, this.uniformLayout];
    if (scratch) bindGroupLayouts.push(this.scratchLayouts[scratch]);
    const layout = device.createPipelineLayout({ bindGroupLayouts });
    const module = device.createShaderModule({ label: key, code });
    const pipeline = device.createComputePipeline({ label: key, layout, compute: { module, entryPoint: 'main' } });
    return { key, pipeline, storageLayout, access, scratch };
  }

  /** Resolves to the compiler's complaints about `code`, none if it is valid. */
  async check(key: string, code: string, layout: PipelineLayout): Promise<string[]> {
    const { device } = this.gpu;
    device.pushErrorScope('validation');
    this.create(key, code, layout);
    const error = await this.gpu.wait(device.popErrorScope());
    return error ? [error.message] : [];
  }

  private scratchLayout(access: GPUStorageTextureAccess): GPUBindGroupLayout {
    const storageTexture = { access, format: 'rgba32float' } as const;
    return this.gpu.device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: GPUShaderStage.COMPUTE, storageTexture }],
    });
  }

  private storageLayout(access: readonly ('read' | 'read_write')[]): GPUBindGroupLayout {
    const key = access.join();
    let layout = this.storageLayouts.get(key);
    if (!layout) {
      layout = this.gpu.device.createBindGroupLayout({
        entries: access.map((type, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: type === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
        })),
      });
      this.storageLayouts.set(key, layout);
    }
    return layout;
  }
}
