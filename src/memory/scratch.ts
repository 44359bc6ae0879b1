/**
 * The scratch texture: one for all kernels, in texels of four values, in which an operand is packed by one dispatch to be read
 * by those that follow. Software adapters fetch texels several times faster than they load from buffers (kernels/lib/packed.wgsl).
 */
import type { Gpu } from '../device/open.js';
import type { Pipelines, ScratchAccess } from '../device/pipelines.js';

/** Texel i lies in column i mod 4096 of row i / 4096. */
export const SCRATCH_WIDTH_LOG2 = 12;

/** 256 MiB, well within the rows that every adapter allows: what is larger is not packed. */
export const MOST_TEXELS = 2 ** 24;

const BYTES_PER_TEXEL = 16;

export class Scratch {
  private texture: GPUTexture | undefined;
  private groups: Readonly<Record<ScratchAccess, GPUBindGroup>> | undefined;
  private rows = 0;

  constructor(
    private readonly gpu: Gpu,
    private readonly pipelines: Pipelines,
  ) {}

  /** Bytes of GPU memory that it takes. */
  get bytes(): number {
    return (this.rows << SCRATCH_WIDTH_LOG2) * BYTES_PER_TEXEL;
  }

  /** Whether a texture of so many texels is there; if not, `grow` makes it. */
  has(texels: number): boolean {
    return texels <= this.rows << SCRATCH_WIDTH_LOG2;
  }

  /** Makes it hold so many texels; what it held is lost. Whatever was recorded before must have been submitted. */
  grow(texels: number): void {
    this.texture?.destroy();
    this.rows = 2 ** Math.ceil(Math.log2(Math.ceil(texels / 2 ** SCRATCH_WIDTH_LOG2)));
    this.texture = this.gpu.device.createTexture({
      size: [2 ** SCRATCH_WIDTH_LOG2, this.rows],
      format: 'rgba32float',
      usage: GPUTextureUsage.STORAGE_BINDING,
    });
    const resource = this.texture.createView();
    const group = (access: ScratchAccess): GPUBindGroup =>
      this.gpu.device.createBindGroup({
        layout: this.pipelines.scratchLayouts[access],
        entries: [{ binding: 0, resource }],
      });
    this.groups = { read: group('read'), write: group('write') };
  }

  bindGroup(access: ScratchAccess): GPUBindGroup {
    if (!this.groups) throw new Error('a kernel uses the scratch texture, but nobody has reserved any of it');
    return this.groups[access];
  }
}
