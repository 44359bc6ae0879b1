/** What `lyrebird gradcheck` checks: every op, by the cases of its record, and every module, by its own. */
import { checkCase, describeCase } from '../autograd/check.js';
import type { Engine } from '../kernel/engine.js';
import { ops } from '../ops/index.js';
import type { Check } from './check.js';
import { moduleChecks } from './moduleChecks.js';

/** In the order in which they are run. */
export const checks: readonly Check[] = [
  ...ops.map((op) => ({
    name: op.name,
    tolerance: op.tolerance,
    cases: op.cases.map((test) => ({ title: describeCase(op, test), run: (e: Engine) => checkCase(e, op, test) })),
  })),
  ...moduleChecks,
];
