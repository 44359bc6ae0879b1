/** Exponential moving averages of parameters: a network that generates better than any one step's. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { sizeOf, type Tensor, vectors } from '../memory/tensor.js';

/**
 * The decay of an average's step-th update, from 0: low at first, so that it soon forgets how the network began, and never above
 * `decay`. Until it is reached, the average is over about the last ninth of all steps.
 */
export const emaDecay = (decay: number, step: number): number => Math.min(decay, (1 + step) / (10 + step));

/** average = decay average + (1 - decay) values, in one dispatch; both of one size, in two buffers. */
export function updateEma(e: Engine, values: Tensor, average: Tensor, decay: number): void {
  if (sizeOf(values.shape) !== sizeOf(average.shape)) {
    throw new Error(`an average of ${sizeOf(average.shape)} values cannot follow ${sizeOf(values.shape)}`);
  }
  if (!(decay >= 0 && decay <= 1)) throw new Error(`decay must be from 0 to 1, not ${decay}`);
  const count = vectors(values);
  e.dispatch({
    file: 'ema',
    tensors: [values, average],
    params: { vectors: count, rest: 1 - decay },
    grid: gridFor(count, 64),
  });
}
