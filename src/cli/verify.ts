/** lyrebird verify FILE...: the engine against reference cases that another program computed. */
import type { Command } from 'commander';
import { describe } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import { adapterOption, withEngine } from './engine.js';
import { Failure } from './outcome.js';
import { type ReferenceCase, readReferenceCases } from './verify/cases.js';
import { judge, type Verdict } from './verify/judge.js';

export function register(program: Command): void {
  program
    .command('verify')
    .description(
      'Runs reference-case files: operations, modules and training steps with the results that PyTorch computed for them. ' +
        'A line a case with its worst error, relative to the largest expected value, and the tolerance. Where the forward pass of a module ' +
        'or network fails, it is computed again, each operation alone and all in float64, to tell what is wrong: an operation, how they ' +
        'are put together, or nothing, if numbers rounded to float32 in other ways would move the result by more than the tolerance: ' +
        'then it passes if it does in float64, and the line says so. The last line is ' +
        "'N passed, M failed, K unsupported'; the exit code is 0 only if all passed.",
    )
    .argument('<files...>', 'safetensors files of the format reference-cases/1')
    .option('--filter <text>', 'only cases whose name contains this')
    .addOption(adapterOption())
    .action(async (files: string[], options: { filter?: string; adapter?: string }) => {
      const cases = files.flatMap(readReferenceCases).filter(({ name }) => name.includes(options.filter ?? ''));
      const counts = { passed: 0, failed: 0, unsupported: 0 };
      let decidedInFloat64 = 0;
      await withEngine(options, async (engine) => {
        for (const test of cases) {
          const { outcome, inFloat64 } = await verify(engine, test);
          counts[outcome]++;
          if (inFloat64) decidedInFloat64++;
        }
      });
      if (decidedInFloat64 > 0) {
        console.log(
          `${decidedInFloat64} passed in float64: to round to float32 in other ways moves their results by more than the tolerance.`,
        );
      }
      const summary = `${counts.passed} passed, ${counts.failed} failed, ${counts.unsupported} unsupported`;
      console.log(summary);
      if (cases.length === 0) throw new Failure('There is no case to verify: check the files and the filter.');
      // The counts are the last line, so the failure has nothing to add.
      if (counts.failed + counts.unsupported > 0) throw new Failure();
    });
}

async function verify(engine: Engine, test: ReferenceCase): Promise<Verdict> {
  let verdict: Verdict;
  try {
    verdict = await judge(engine, test);
  } catch (error) {
    verdict = { outcome: 'failed', lines: [describe(error)] };
  }
  console.log(`${MARKS[verdict.outcome]}  ${test.name}: ${verdict.lines.join('\n      ')}`);
  return verdict;
}

const MARKS = { passed: 'ok  ', failed: 'FAIL', unsupported: 'skip' } as const;
