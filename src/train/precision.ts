/** Mixed precision: asked for, and possible. */
import type { Engine } from '../kernel/engine.js';

/** What activations and the weights that they meet are stored in. Everything is summed in f32, and weights are kept so. */
export const PRECISIONS = ['f32', 'f16'] as const;

export type Precision = (typeof PRECISIONS)[number];

/** Whether f16 is asked for on a device that can do it; others compute in f32. */
export const inHalf = (e: Engine, precision: Precision): boolean => precision === 'f16' && e.capabilities.f16;

/** What to say to who asks for f16 on a device that cannot do it, or goes on in another precision than `before`. */
export function precisionNote(e: Engine, precision: Precision, before = precision): string | undefined {
  if (precision === 'f16' && !e.capabilities.f16) {
    return `The adapter ${e.gpu.info.name} has no f16 (shader-f16): going on in f32.`;
  }
  return before === precision ? undefined : `note: this run was in ${before} so far; it goes on in ${precision}`;
}
