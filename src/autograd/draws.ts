/** The random numbers of a training step: what dropout draws in a forward pass. */
import type { RandomAttrs } from '../ops/random.js';

/** Gives each who asks numbers of its own: the same to the same, in every run, if all ask in the same order. */
export interface Draws {
  next(): RandomAttrs;
}

/** Streams of a step. */
const MOST = 64;

/** Seeds of weights, noise and shuffling lie below 2^53, so that nothing else draws the same numbers. */
const SEEDS_OF_DRAWS = 2n ** 63n;

/** The numbers of step `step` (a whole number below 2^26) of a run with that seed. */
export function createDraws(seed: number, step: number): Draws {
  let used = 0;
  return {
    next() {
      if (used === MOST) throw new Error(`a step can draw ${MOST} times at most`);
      return { seed: SEEDS_OF_DRAWS + BigInt(seed), stream: step * MOST + used++ };
    },
  };
}
