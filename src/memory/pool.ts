/**
 * The pool of GPU buffers. The garbage collector does not see GPU memory, so buffers are taken and given back by hand
 * (by scopes: see scope.ts) and kept for the next step: from the second step on nothing is allocated.
 */
import { DeviceError } from '../device/errors.js';
import type { Gpu } from '../device/open.js';
import type { Storage } from './tensor.js';

export interface PoolStatistics {
  /** Bytes of all buffers that the pool has made and not destroyed. */
  readonly bytes: number;
  /** Bytes handed out now, and the most there ever were. */
  readonly inUse: number;
  readonly peak: number;
  /** Buffers made since the start. */
  readonly allocations: number;
}

/** Size classes: four per power of two (at most 25 % waste), 256 bytes at least. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const quarter = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.max(256, Math.ceil(bytes / quarter) * quarter);
}

/** How much of the processor's memory tensors may take where there is no other: the rest is the program's and the system's. */
const HOST_SHARE = 0.8;

export class Pool {
  private readonly idle = new Map<number, Storage[]>();
  private readonly disordered = new Set<Storage[]>();
  private nextId = 0;
  private total = 0;
  private used = 0;
  private most = 0;
  private made = 0;

  constructor(private readonly gpu: Gpu) {}

  /** A storage of at least `bytes` bytes, holding whatever was there before. Throws if one buffer cannot hold it. */
  take(bytes: number): Storage {
    const limit = Math.floor(this.gpu.limits.maxBufferSize / 256) * 256;
    if (bytes > limit) {
      throw new DeviceError(
        `A tensor of ${mebibytes(bytes)} MiB was asked for, but the adapter ${this.gpu.info.name} makes buffers of at most ` +
          `${mebibytes(limit)} MiB. Use a smaller batch, image size or network.`,
      );
    }
    const size = Math.min(sizeClass(bytes), limit);
    const storage = this.idle.get(size)?.pop() ?? this.make(size);
    storage.free = false;
    storage.generation++;
    this.used += storage.bytes;
    this.most = Math.max(this.most, this.used);
    return storage;
  }

  give(storage: Storage): void {
    if (storage.free) throw new Error('a storage was given back to the pool twice');
    storage.free = true;
    this.used -= storage.bytes;
    let list = this.idle.get(storage.bytes);
    if (!list) {
      list = [];
      this.idle.set(storage.bytes, list);
    }
    list.push(storage);
    this.disordered.add(list);
  }

  /**
   * Puts idle buffers in the order of their numbers. Done between steps, it makes every step begin alike: so each op meets
   * the buffers that it met in the step before, and its bind group is there already.
   */
  settle(): void {
    for (const list of this.disordered) list.sort((a, b) => b.id - a.id);
    this.disordered.clear();
  }

  statistics(): PoolStatistics {
    return { bytes: this.total, inUse: this.used, peak: this.most, allocations: this.made };
  }

  private make(bytes: number): Storage {
    const { name, hostBytes = Number.POSITIVE_INFINITY } = this.gpu.info;
    if (this.total + bytes > HOST_SHARE * hostBytes) {
      throw new DeviceError(
        `This needs more than ${mebibytes(this.total)} MiB of memory, and the adapter ${name} computes in the processor's, of ` +
          `which there are ${mebibytes(hostBytes)} MiB in all. Use a smaller batch, image size or network.`,
      );
    }
    this.made++;
    this.total += bytes;
    const buffer = this.gpu.device.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    return { id: this.nextId++, buffer, bytes, generation: 0, free: true };
  }
}

export const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0);
