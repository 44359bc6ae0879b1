/**
 * The pool of GPU buffers. The garbage collector does not see GPU memory, so buffers are taken and given back by hand
 * (by scopes: see scope.ts) and kept for the next step: from the second step on nothing is allocated.
 */
import { DeviceError } from '../device/errors.js';
import type { Gpu } from '../device/open.js';
import { type Plan, planOf, Watch } from './plan.js';
import type { Storage } from './tensor.js';

export interface PoolStatistics {
  /** Bytes of all buffers that the pool has made and not destroyed. */
  readonly bytes: number;
  /** Bytes of the tensors in them now, and the most there ever were. */
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
  /** Buffers made for plans, which serve others only where a job is not under way. */
  private readonly planned = new Map<Plan, Storage[]>();
  /** Those of plans that are forgotten, which were in use at that time. */
  private left: Storage[] = [];
  private following: { readonly plan: Plan; readonly own: Storage[]; next: number } | undefined;
  private watch: Watch | undefined;

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
    const asked = Math.ceil(bytes / 256) * 256;
    const size = Math.min(sizeClass(asked), limit);
    const storage = this.next(asked) ?? this.idle.get(size)?.pop() ?? this.spare(asked) ?? this.make(size);
    storage.free = false;
    storage.generation++;
    storage.used = asked;
    this.used += asked;
    this.most = Math.max(this.most, this.used);
    this.watch?.took(storage, asked);
    return storage;
  }

  give(storage: Storage): void {
    if (storage.free) throw new Error('a storage was given back to the pool twice');
    storage.free = true;
    this.used -= storage.used;
    this.watch?.gave(storage);
    if (storage.planned) return;
    let list = this.idle.get(storage.bytes);
    if (!list) {
      list = [];
      this.idle.set(storage.bytes, list);
    }
    list.push(storage);
    this.disordered.add(list);
  }

  /** Plans the memory of a job by doing it once. */
  rehearse(job: () => void): Plan {
    const watch = new Watch();
    this.watch = watch;
    job();
    this.watch = undefined;
    return planOf(watch.requests);
  }

  /** Does a job in the buffers of its plan, which are made when they are first needed. Should it ask for other memory, it gets that. */
  follow<T>(plan: Plan, job: () => T): T {
    const own = this.planned.get(plan) ?? [];
    this.planned.set(plan, own);
    this.following = { plan, own, next: 0 };
    try {
      return job();
    } finally {
      this.following = undefined;
    }
  }

  /**
   * Gives back for good what was made for a plan whose job will not be done again. What is in use goes when another plan is
   * forgotten; once it is idle, it serves others until then.
   */
  forget(plan: Plan): void {
    const made = [...this.left, ...(this.planned.get(plan) ?? [])].filter(Boolean); // to some no request has come yet
    this.planned.delete(plan);
    this.left = made.filter(({ free }) => !free);
    for (const { free, buffer, bytes } of made) {
      if (!free) continue;
      buffer.destroy();
      this.total -= bytes;
    }
  }

  /** What the plan has for the next request; undefined if it has nothing, or the job is not the one that was planned. */
  private next(bytes: number): Storage | undefined {
    if (!this.following) return undefined;
    const { plan, own, next } = this.following;
    if (plan.requests[next] !== bytes) {
      this.following = undefined;
      return undefined;
    }
    this.following.next++;
    const buffer = plan.buffers[next];
    if (buffer === undefined) return undefined;
    own[buffer] ??= this.make(plan.sizes[buffer]!, true);
    return own[buffer].free ? own[buffer] : undefined;
  }

  /** The smallest idle buffer of a plan that is large enough. */
  private spare(bytes: number): Storage | undefined {
    if (this.following) return undefined;
    let best: Storage | undefined;
    for (const own of [...this.planned.values(), this.left]) {
      for (const storage of own) {
        if (storage?.free && storage.bytes >= bytes && !(best && best.bytes <= storage.bytes)) best = storage;
      }
    }
    return best;
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

  private make(bytes: number, planned = false): Storage {
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
    return { id: this.nextId++, buffer, bytes, planned, used: 0, generation: 0, free: true };
  }
}

export const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0);
