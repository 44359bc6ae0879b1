/** What `lyrebird gradcheck` checks: every op, by the cases of its record, and every module, by its own. */
import { checkCase, checkHalfCase, describeCase, halfTolerance } from '../autograd/check.js';
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
  ...moduleChecks(false),
];

/** The same in mixed precision, of all that can store f16. */
export const halfChecks: readonly Check[] = [
  ...ops
    .filter(({ half }) => Object.keys(half).length > 0)
    .map((op) => ({
      name: op.name,
      tolerance: halfTolerance(op),
      cases: op.cases.map((test) => ({
        title: describeCase(op, test),
        run: (e: Engine) => checkHalfCase(e, op, test),
      })),
    })),
  ...moduleChecks(true),
];
