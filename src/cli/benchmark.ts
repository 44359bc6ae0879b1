/** What `lyrebird bench` can time. */
import type { Engine } from '../kernel/engine.js';
import type { Precision } from '../train/precision.js';

export interface Benchmark {
  readonly name: string;
  /** Allocates and uploads what the passes need: in f16 what an op can take so, if that is the precision. Default f32. */
  prepare(e: Engine, precision?: Precision): Prepared | Promise<Prepared>;
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
  /** Images that one run makes. */
  readonly images?: number | undefined;
  /** Records one run. The runs of a pass follow each other without a wait. */
  run(): void | Promise<void>;
}
