/** What `lyrebird gradcheck` can run. */
import type { CheckResult } from '../autograd/check.js';
import type { Engine } from '../kernel/engine.js';

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
