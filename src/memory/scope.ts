/**
 * Scopes: what is allocated inside one goes back to the pool at its end, except what it returns.
 * A step is a scope, so nobody hands references around, and the order of allocation is the same in every step.
 */
import type { Pool } from './pool.js';
import type { Storage, Tensor } from './tensor.js';

/** What a scope may hand out: tensors, alone or in arrays and records. */
export type Kept =
  | Tensor
  | undefined
  | null
  | number
  | boolean
  | string
  | readonly Kept[]
  | { readonly [key: string]: Kept };

interface Held {
  readonly storage: Storage;
  readonly generation: number;
}

export class Scopes {
  private readonly open: Held[][] = [];

  constructor(private readonly pool: Pool) {}

  /** A storage that lives to the end of the innermost scope; outside of all scopes, until `release`. */
  take(bytes: number): Storage {
    const storage = this.pool.take(bytes);
    this.open.at(-1)?.push({ storage, generation: storage.generation });
    return storage;
  }

  /** Gives a tensor's memory back before its scope ends. */
  release(tensor: Tensor): void {
    this.pool.give(tensor.storage);
  }

  run<T extends Kept>(body: () => T): T {
    const held: Held[] = [];
    this.open.push(held);
    let result: T | undefined;
    try {
      result = body();
      return result;
    } finally {
      this.open.pop();
      const kept = new Set<Storage>();
      collect(result, kept);
      const outer = this.open.at(-1);
      for (const entry of held) {
        // A storage given back early may have gone to somebody else since: the generation tells.
        if (entry.storage.free || entry.generation !== entry.storage.generation) continue;
        if (kept.has(entry.storage)) outer?.push(entry);
        else this.pool.give(entry.storage);
      }
      if (!outer) this.pool.settle();
    }
  }
}

const isTensor = (value: object): value is Tensor => 'storage' in value && 'shape' in value;

function collect(value: Kept, into: Set<Storage>): void {
  if (typeof value !== 'object' || value === null) return;
  if (isTensor(value)) into.add(value.storage);
  else for (const part of Object.values(value)) collect(part, into);
}
