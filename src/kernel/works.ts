/** Finds out which works something would perform, without computing anything: to time them, or to test all of their plans. */
import { dryGpu } from '../device/dry.js';
import type { Plan } from './choose.js';
import { Engine, type Work } from './engine.js';

export interface CountedWork {
  readonly work: Work;
  /** How often it is performed. */
  readonly calls: number;
}

/**
 * The works that `body` performs on an engine like `e`, each once, in the order of their first calls. The engine that `body`
 * is given allocates and computes nothing.
 */
export function worksOf(e: Engine, body: (dry: Engine) => void): CountedWork[] {
  const found = new Map<string, { work: Work; calls: number }>();
  const dry = new Engine(dryGpu(e.gpu), e.capabilities);
  dry.perform = <P extends Plan>(work: Work<P>) => {
    const known = found.get(work.name);
    if (known) known.calls++;
    else found.set(work.name, { work, calls: 1 });
  };
  body(dry);
  return [...found.values()];
}
