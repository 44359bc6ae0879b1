/** What `lyrebird gradcheck` checks: every op, by the cases of its record, and every module, by its own. */
import { type CheckResult, checkCase, describeCase } from '../autograd/check.js';
import type { Engine } from '../kernel/engine.js';
import { ops } from '../ops/index.js';

export interface Check {
  /** As it is named on the command line. */
  readonly name: string;
  /** Greatest errors that pass, relative to the largest value. */
  readonly tolerance: { readonly forward: number; readonly gradient: number };
  readonly cases: readonly CheckCase[];
}

export interface CheckCase {
  readonly title: string;
  run(e: Engine): Promise<CheckResult>;
}

/** In the order in which they are run. */
export const checks: readonly Check[] = [
  ...ops.map((op) => ({
    name: op.name,
    tolerance: op.tolerance,
    cases: op.cases.map((test) => ({ title: describeCase(op, test), run: (e: Engine) => checkCase(e, op, test) })),
  })),
];
