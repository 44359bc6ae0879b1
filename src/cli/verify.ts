/** lyrebird verify FILE...: the engine against reference cases that another program computed. */
import type { Command } from 'commander';
import { compare, largest, type Worst, worse } from '../autograd/check.js';
import { describe } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import { adapterOption, withEngine } from './engine.js';
import { Failure } from './outcome.js';
import { type ReferenceCase, readReferenceCases, type Values } from './verify/cases.js';
import { type Results, runCase } from './verify/run.js';

export function register(program: Command): void {
  program
    .command('verify')
    .description(
      'Runs reference-case files: operations, modules and training steps with the results that PyTorch computed for them. ' +
        'A line a case with its worst error, relative to the largest expected value, and the tolerance. The last line is ' +
        "'N passed, M failed, K unsupported'; the exit code is 0 only if all passed.",
    )
    .argument('<files...>', 'safetensors files of the format reference-cases/1')
    .option('--filter <text>', 'only cases whose name contains this')
    .addOption(adapterOption())
    .action(async (files: string[], options: { filter?: string; adapter?: string }) => {
      const cases = files.flatMap(readReferenceCases).filter(({ name }) => name.includes(options.filter ?? ''));
      const counts = { passed: 0, failed: 0, unsupported: 0 };
      await withEngine(options, async (engine) => {
        for (const test of cases) counts[await verify(engine, test)]++;
      });
      const summary = `${counts.passed} passed, ${counts.failed} failed, ${counts.unsupported} unsupported`;
      console.log(summary);
      if (cases.length === 0) throw new Failure('There is no case to verify: check the files and the filter.');
      // The counts are the last line, so the failure has nothing to add.
      if (counts.failed + counts.unsupported > 0) throw new Failure();
    });
}

async function verify(engine: Engine, test: ReferenceCase): Promise<'passed' | 'failed' | 'unsupported'> {
  let results: Results | undefined;
  try {
    results = await runCase(engine, test);
  } catch (error) {
    console.log(`FAIL  ${test.name}: ${describe(error)}`);
    return 'failed';
  }
  if (!results) {
    console.log(`skip  ${test.name}: lyrebird has no '${test.op}'`);
    return 'unsupported';
  }
  const output = worst(test.outputs, results.outputs);
  const gradient = worst(test.grads, results.grads);
  const passed = output.error <= test.tol && gradient.error <= test.gradTol;
  const grads = test.grads.size > 0 ? `, gradient ${gradient.error.toExponential(1)} of ${test.gradTol}` : '';
  const where = passed ? '' : `\n      ${output.error > test.tol ? output.where : gradient.where}`;
  console.log(
    `${passed ? 'ok  ' : 'FAIL'}  ${test.name}: ${output.error.toExponential(1)} of ${test.tol}${grads}${where}`,
  );
  return passed ? 'passed' : 'failed';
}

/** The worst error over all expected tensors; the floor is a thousandth of the largest value among them. */
function worst(expected: Values, actual: ReadonlyMap<string, Float32Array>): Worst {
  const floor = 1e-3 * Math.max(0, ...[...expected.values()].map(({ data }) => largest(data)));
  let result: Worst = { error: 0, where: '' };
  for (const [name, { data, shape }] of expected) {
    const found = actual.get(name);
    const error = found
      ? compare(name, found, data, shape, floor)
      : { error: Number.POSITIVE_INFINITY, where: `${name} is missing` };
    result = worse(result, error);
  }
  return result;
}
