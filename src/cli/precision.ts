/** `--precision`, for verbs that compute as training does. */
import { Option } from 'commander';
import type { Engine } from '../kernel/engine.js';
import { PRECISIONS, type Precision, precisionNote } from '../train/precision.js';

export const precisionOption = (): Option =>
  new Option(
    '--precision <type>',
    'f16 stores activations and copies of weights in half the memory, and sums in f32 (default: f32)',
  ).choices(PRECISIONS);

/** The precision that was asked for, or f32, with a word on stderr, where the adapter has no f16. */
export function possiblePrecision(e: Engine, wanted: Precision = 'f32'): Precision {
  const note = precisionNote(e, wanted);
  if (note) console.error(`lyrebird: ${note}`);
  return note ? 'f32' : wanted;
}
