/** lyrebird gradcheck: every op and its gradients against the float64 references. */
import type { Command } from 'commander';
import { type CheckResult, type Worst, worse } from '../autograd/check.js';
import { UserError } from '../io/errors.js';
import { createProgress } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import type { Precision } from '../train/precision.js';
import type { Check } from './check.js';
import { checks, halfChecks } from './checks.js';
import { adapterOption, withEngine } from './engine.js';
import { interruptible } from './interrupt.js';
import { nearest } from './options.js';
import { Failure } from './outcome.js';
import { possiblePrecision, precisionOption } from './precision.js';
import { formatTable, threeDigits } from './table.js';

export function register(program: Command): void {
  program
    .command('gradcheck')
    .description(
      'Computes every operation and module on small tensors of awkward shapes, forward and backward, and compares the results with ' +
        'float64 references and their finite differences. Every result must also come out the same, bit by bit, twice.',
    )
    .argument('[ops...]', 'names of operations and modules (default: all)')
    .addOption(precisionOption())
    .addOption(adapterOption())
    .action(async (names: string[], { adapter, precision }: { adapter?: string; precision?: Precision }) => {
      const chosen = choose(names, checks);
      await interruptible(async (signal) => {
        const verdicts = await withEngine({ adapter }, (e) =>
          checkAll(e, possiblePrecision(e, precision) === 'f16' ? inHalf(chosen, names) : chosen, signal),
        );
        report(verdicts);
      });
    });
}

/** The checks that are named, in their own order; all if none is. Throws a UserError for a name that there is not. */
export function choose(names: readonly string[], all: readonly Check[]): readonly Check[] {
  const known = all.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, known);
    const advice = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '';
    throw new UserError(
      `There is no operation or module ${JSON.stringify(unknown)}. ${advice}There are: ${known.join(', ')}.`,
    );
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

/** The chosen checks in mixed precision. Throws a UserError if one that is named is never computed in f16. */
export function inHalf(chosen: readonly Check[], names: readonly string[]): readonly Check[] {
  const without = names.find((name) => !halfChecks.some((check) => check.name === name));
  if (without !== undefined) {
    throw new UserError(`${without} is never computed in f16: check it without --precision f16.`);
  }
  return halfChecks.filter(({ name }) => chosen.some((check) => check.name === name));
}

/** What became of one check. */
export interface Verdict {
  readonly name: string;
  readonly cases: number;
  readonly forward: Worst;
  /** Undefined if it has no gradient. */
  readonly gradient: Worst | undefined;
  readonly deterministic: boolean;
  /** The cases that failed: title, and what was wrong. */
  readonly failed: readonly string[];
}

/** Runs the checks until all are done or `signal` is aborted. */
export async function checkAll(e: Engine, chosen: readonly Check[], signal: AbortSignal): Promise<Verdict[]> {
  const total = chosen.reduce((count, { cases }) => count + cases.length, 0);
  const progress = createProgress({ title: 'gradcheck', total, unit: 'cases' });
  const verdicts: Verdict[] = [];
  let done = 0;
  try {
    for (const check of chosen) {
      if (signal.aborted) break;
      verdicts.push(await checkOne(e, check, () => progress.update(++done, { of: check.name })));
    }
  } finally {
    progress.stop();
  }
  return verdicts;
}

async function checkOne(e: Engine, { name, tolerance, cases }: Check, counted: () => void): Promise<Verdict> {
  let forward: Worst = { error: 0, where: '' };
  let gradient: Worst | undefined;
  let deterministic = true;
  const failed: string[] = [];
  for (const { title, run } of cases) {
    const result = await run(e);
    forward = worse(forward, result.forward);
    if (result.gradient) gradient = gradient ? worse(gradient, result.gradient) : result.gradient;
    deterministic &&= result.deterministic;
    const faults = faultsOf(result, tolerance);
    if (faults.length > 0) failed.push(`${title}: ${faults.join('; ')}`);
    counted();
  }
  return { name, cases: cases.length, forward, gradient, deterministic, failed };
}

function faultsOf({ forward, gradient, deterministic }: CheckResult, tolerance: Check['tolerance']): string[] {
  // Comparisons with a NaN are false.
  return [
    ...(forward.error < tolerance.forward ? [] : [`forward ${threeDigits(forward.error)} at ${forward.where}`]),
    ...(!gradient || gradient.error < tolerance.gradient
      ? []
      : [`gradient ${threeDigits(gradient.error)} at ${gradient.where}`]),
    ...(deterministic ? [] : ['other bits when run again']),
  ];
}

/** Prints the table. Throws a Failure that names the cases that failed, if any did. */
export function report(verdicts: readonly Verdict[]): void {
  const rows = verdicts.map((verdict) => [
    verdict.name,
    String(verdict.cases),
    threeDigits(verdict.forward.error),
    verdict.gradient ? threeDigits(verdict.gradient.error) : 'none',
    verdict.deterministic ? 'yes' : 'NO',
    verdict.failed.length === 0 ? 'pass' : 'FAIL',
    (verdict.gradient ?? verdict.forward).where,
  ]);
  const header = ['name', 'cases', 'forward', 'gradient', 'same bits', '', 'where the gradient is worst'];
  console.log(formatTable(header, rows, ['left', 'right', 'right', 'right', 'right', 'left', 'left']));
  const failures = verdicts.flatMap(({ failed }) => failed);
  const cases = verdicts.reduce((count, verdict) => count + verdict.cases, 0);
  if (failures.length > 0) {
    throw new Failure(`${failures.length} of ${cases} cases failed:\n  ${failures.join('\n  ')}`);
  }
  console.log(`\n${cases} cases pass.`);
}
