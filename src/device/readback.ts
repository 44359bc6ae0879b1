/** Copies GPU memory back to the host through staging buffers, of which the small ones are used again. */
import type { Commands } from './commands.js';
import type { Gpu } from './open.js';

/** Bytes of the largest staging buffer that is kept: a batch of images. What is larger, such as a checkpoint's, is read now and then. */
export const MOST_KEPT = 2 ** 24;

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
    if (staging.size <= MOST_KEPT) this.idle.push(staging);
    else staging.destroy();
    return copy;
  }

  private take(bytes: number): GPUBuffer {
    if (bytes > MOST_KEPT) return this.make(bytes);
    const index = this.idle.findIndex((buffer) => buffer.size >= bytes);
    if (index >= 0) return this.idle.splice(index, 1)[0]!;
    // Of what is too small now, one goes: as many are kept as there were reads under way at once.
    this.idle.shift()?.destroy();
    return this.make(Math.max(256, 2 ** Math.ceil(Math.log2(bytes))));
  }

  private make(size: number): GPUBuffer {
    return this.gpu.device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  }
}
