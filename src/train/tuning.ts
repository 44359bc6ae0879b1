/** Tunings of kernels (kernel/choose.ts) over the steps of one training. */
import type { Engine } from '../kernel/engine.js';

/** What to say to who goes on under another tuning than `before`, its id; undefined of a checkpoint that does not tell. */
export function tuningNote(e: Engine, before: string | undefined): string | undefined {
  if (before === undefined || before === e.tuning.id) return undefined;
  return (
    'note: this run began under another tuning of kernels (lyrebird tune, --tuned): its last bits may differ from those of a run ' +
    'that never stopped'
  );
}
