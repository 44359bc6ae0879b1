/** Compute pipelines with explicit layouts: storage buffers in group 0, one uniform block with a dynamic offset in group 1. */
import { DeviceError } from './errors.js';
import type { Gpu } from './open.js';

export interface Pipeline {
  readonly key: string;
  readonly pipeline: GPUComputePipeline;
  readonly storageLayout: GPUBindGroupLayout;
  readonly access: readonly ('read' | 'read_write')[];
}

/** Bytes of the uniform block that a dispatch sees; also the step between two blocks. */
export const UNIFORM_BLOCK = 256;

export class Pipelines {
  readonly uniformLayout: GPUBindGroupLayout;
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
  }

  /** Compiles. Errors in the shader are reported by the device: see `check` for a promise of them. */
  create(key: string, code: string, access: readonly ('read' | 'read_write')[]): Pipeline {
    const { device, limits } = this.gpu;
    if (access.length > limits.maxStorageBuffersPerShaderStage) {
      throw new DeviceError(
        `Kernel ${key} binds ${access.length} buffers, the adapter ${this.gpu.info.name} allows ` +
          `${limits.maxStorageBuffersPerShaderStage}.`,
      );
    }
    const storageLayout = this.storageLayout(access);
    const layout = device.createPipelineLayout({ bindGroupLayouts: [storageLayout, this.uniformLayout] });
    const module = device.createShaderModule({ label: key, code });
    const pipeline = device.createComputePipeline({ label: key, layout, compute: { module, entryPoint: 'main' } });
    return { key, pipeline, storageLayout, access };
  }

  /** Resolves to the compiler's complaints about `code`, none if it is valid. */
  async check(key: string, code: string, access: readonly ('read' | 'read_write')[]): Promise<string[]> {
    const { device } = this.gpu;
    device.pushErrorScope('validation');
    this.create(key, code, access);
    const error = await this.gpu.wait(device.popErrorScope());
    return error ? [error.message] : [];
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
