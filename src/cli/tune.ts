/** lyrebird tune: measures which plan is the fastest for each product and convolution of a training step, and keeps it. */
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { UserError } from '../io/errors.js';
import { createProgress } from '../io/progress.js';
import { readTuning, type TunedWork, tunedFor, tuningFile, writeTuning } from '../io/tuning.js';
import type { Engine } from '../kernel/engine.js';
import { type CountedWork, worksOf } from '../kernel/works.js';
import { DEFAULT_SIZE, PRESETS, type TrainConfig } from '../train/config.js';
import { adapterOption, withFastEngine } from './engine.js';
import { interruptible } from './interrupt.js';
import { positiveInteger } from './options.js';
import { possiblePrecision, precisionOption } from './precision.js';
import { counted, sizeOption } from './prepare.js';
import { prepareStep } from './stepBenchmark.js';
import { configFrom, type TrainFlags } from './train.js';
import { formatGains, gainsOf } from './tune/gains.js';
import { measureWork } from './tune/measure.js';

interface TuneFlags extends Pick<TrainFlags, 'preset' | 'size' | 'batch' | 'precision' | 'config'> {
  readonly rounds: number;
  readonly again?: true;
  readonly out?: string;
  readonly adapter?: string;
}

export function register(program: Command): void {
  program
    .command('tune')
    .description(
      'Times the matrix products and convolutions of a training step of DR-ACGAN, each by every plan that this adapter can run, ' +
        'and keeps the fastest in a file that later runs on this adapter and driver choose by. What was measured before is not ' +
        'measured again. A tuning changes how fast results come, and may change their last bits; nothing else. The options name ' +
        'the step: give those that you will train with.',
    )
    .addOption(
      new Option(
        '--preset <name>',
        'the networks: small, reference, medium: 128 x 128, or paper: 256 x 256 at full width',
      )
        .choices(PRESETS)
        .default('small'),
    )
    .addOption(sizeOption(`${DEFAULT_SIZE}`))
    .option('--batch <n>', 'real images a step (default: 16)', positiveInteger)
    .addOption(precisionOption())
    .option('--config <file>', 'JSON file with any fields of config.json, such as that of a run')
    .option('--rounds <n>', 'rounds that medians are taken of', positiveInteger, 5)
    .option('--again', 'also measure anew what the file knows already')
    .option(
      '--out <file>',
      "where the tuning goes: a new file, or one of this adapter (default: the adapter's own place, which later runs look at)",
    )
    .addOption(adapterOption())
    .action(async (flags: TuneFlags) => {
      const config = await configFrom(flags);
      await interruptible((signal) =>
        withFastEngine({ adapter: flags.adapter, tuned: 'none' }, (e) => tune(e, config, flags, signal)),
      );
    });
}

async function tune(e: Engine, given: TrainConfig, flags: TuneFlags, signal: AbortSignal): Promise<void> {
  const config = { ...given, precision: possiblePrecision(e, given.precision) };
  const { info } = e.gpu;
  const about = tunedFor(info);
  const file = flags.out ?? tuningFile(info);
  const known = new Map<string, TunedWork>();
  if (existsSync(file)) {
    const { works, fault, foreign } = await readTuning(file, about);
    if (foreign && flags.out !== undefined) {
      throw new UserError(`${fault} It would be overwritten: choose another --out, or move it away first.`);
    }
    if (fault !== undefined) console.error(`lyrebird: ${fault}`);
    for (const work of works) known.set(work.work, work);
  }
  const step = worksOf(e, (dry) => prepareStep(dry, config).run());
  const missing = flags.again ? step : step.filter(({ work }) => !known.has(work.name));
  console.log(
    `${info.name}, ${info.driver}\n` +
      `DR-ACGAN, ${config.size} x ${config.size}, batch ${config.batch}, ${config.precision}: ` +
      `${step.length} products and convolutions, ${missing.length} to measure`,
  );
  await measureAll(e, missing, flags.rounds, signal, async (work) => {
    known.set(work.work, work);
    await writeTuning(file, about, [...known.values()]);
  });
  const gains = formatGains(gainsOf(e.capabilities, step, known));
  console.log(`\n${gains}\n${file}: ${counted(known.size, 'work')}`);
}

async function measureAll(
  e: Engine,
  works: readonly CountedWork[],
  rounds: number,
  signal: AbortSignal,
  keep: (work: TunedWork) => Promise<void>,
): Promise<void> {
  const progress = createProgress({ title: 'tune', total: works.length, unit: 'works' });
  try {
    for (const [i, { work }] of works.entries()) {
      if (signal.aborted) return;
      await keep(await measureWork(e, work, rounds));
      progress.update(i + 1);
    }
  } finally {
    progress.stop();
  }
}
