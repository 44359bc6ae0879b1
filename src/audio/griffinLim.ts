/**
 * A signal from the magnitudes of a redundant transform, by the fast Griffin-Lim algorithm (Griffin and Lim 1984; Perraudin,
 * Balazs and Sondergaard 2013, "A fast Griffin-Lim algorithm").
 *
 * Of all coefficients only some are the transform of a signal, and only some have the magnitudes A that are asked for. They
 * are taken from the one set to the nearest of the other and back, running ahead a little:
 *
 *   d_n = A c_(n-1) / |c_(n-1)|,  t_n = transform(inverse(d_n)),  c_n = t_n + momentum (t_n - t_(n-1))
 *
 * which ends where both nearly agree.
 */
import { type Engine, gridFor } from '../kernel/engine.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import type { RedundantTransform } from './frame.js';

/** Perraudin's choice: below 1 it converges where there is a solution. */
const MOMENTUM = 0.99;

/**
 * Begins with the phases of the signal `start`, which is kept. Nothing waits. `magnitudes` are of the shapes of the
 * coefficients, but for the last 2.
 */
export function retrieveSignal(
  e: Engine,
  transform: RedundantTransform,
  magnitudes: readonly Tensor[],
  start: Tensor,
  iterations: number,
): Tensor {
  return e.scope(() => {
    let now = e.scope(() => transform.analyse(start));
    let before = now;
    for (let n = 1; n < iterations; n++) {
      const next = e.scope(() => transform.analyse(transform.synthesise(step(e, now, before, magnitudes))));
      if (before !== now) for (const tensor of before) e.release(tensor);
      before = now;
      now = next;
    }
    return transform.synthesise(step(e, now, before, magnitudes));
  });
}

/** d of the formula above. */
function step(e: Engine, now: readonly Tensor[], before: readonly Tensor[], magnitudes: readonly Tensor[]): Tensor[] {
  return now.map((t, i) => {
    const d = e.empty(t.shape);
    const size = sizeOf(t.shape) / 2;
    e.dispatch({
      file: 'phase_step',
      tensors: [t, before[i]!, magnitudes[i]!, d],
      params: { size, momentum: MOMENTUM },
      grid: gridFor(size, 64),
    });
    return d;
  });
}
