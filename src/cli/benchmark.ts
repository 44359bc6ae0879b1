/** What `lyrebird bench` can time. */
import type { Engine } from '../kernel/engine.js';

export interface Benchmark {
  readonly name: string;
  /** Allocates and uploads what the passes need. */
  prepare(e: Engine): Prepared | Promise<Prepared>;
}

export interface Prepared {
  readonly passes: readonly Pass[];
  /** Gives the memory back. */
  release(): void;
}

export interface Pass {
  /** `forward`, `d weight`, `forward + backward`, `step`. */
  readonly name: string;
  /** Floating-point operations of one run, where they are known. */
  readonly flops?: number | undefined;
  /** Bytes that one run has to read and write at least, where they are known. */
  readonly bytes?: number | undefined;
  /** Records one run. The runs of a pass follow each other without a wait. */
  run(): void | Promise<void>;
}
