/** Results on their way back from the GPU, so that it never waits for the processor to look at them. */
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';

/** Steps that may be under way on the GPU while the next one is recorded. */
const STEPS_IN_FLIGHT = 2;

export interface Flight {
  /** Takes a step's result, which is released once it is read; waits for that of two steps ago. */
  launch(step: number, result: Tensor): Promise<void>;
  /** Waits for all. */
  settle(): Promise<void>;
  /** Releases what was not read: after an error. */
  drop(): void;
}

/** `land` is told the values of each step, in order. */
export function createFlight(e: Engine, land: (step: number, values: Float32Array) => void): Flight {
  const flying: { step: number; result: Tensor }[] = [];
  const next = async (): Promise<void> => {
    const { step, result } = flying.shift()!;
    const values = await e.read(result);
    e.release(result);
    land(step, values);
  };
  return {
    async launch(step, result) {
      flying.push({ step, result });
      if (flying.length > STEPS_IN_FLIGHT) await next();
    },
    async settle() {
      while (flying.length > 0) await next();
    },
    drop() {
      for (const { result } of flying.splice(0)) e.release(result);
    },
  };
}
