/** Copies GPU memory back to the host through a small set of staging buffers that are used again. */
import type { Commands } from './commands.js';
import type { Gpu } from './open.js';

export class Readback {
  private readonly idle: GPUBuffer[] = [];

  constructor(
    private readonly gpu: Gpu,
    private readonly commands: Commands,
  ) {}

  /** The bytes [offset, offset + bytes) of `buffer` as they are after everything recorded so far. `bytes` is a multiple of 4. */
  async read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const staging = this.take(bytes);
    this.commands.copy(buffer, offset, staging, 0, bytes);
    this.commands.submit();
    await this.gpu.wait(staging.mapAsync(GPUMapMode.READ, 0, bytes));
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    this.idle.push(staging);
    return copy;
  }

  private take(bytes: number): GPUBuffer {
    const index = this.idle.findIndex((buffer) => buffer.size >= bytes);
    if (index >= 0) return this.idle.splice(index, 1)[0]!;
    // Kept small: only one oversized idle buffer at a time.
    this.idle.shift()?.destroy();
    const size = Math.max(256, 2 ** Math.ceil(Math.log2(bytes)));
    return this.gpu.device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  }
}
