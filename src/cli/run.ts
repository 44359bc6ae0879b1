/** lyrebird run [DIR]: the whole way, from recordings to labelled synthetic spectrograms and a report. */
import path from 'node:path';
import type { Command } from 'commander';
import { synthesiseRecordings } from '../audio/syrinx.js';
import { readDataset } from '../data/read.js';
import { readCheckpoint } from '../train/checkpoint.js';
import { adapterOption, withFastEngine } from './engine.js';
import { generate } from './generate.js';
import { interruptible } from './interrupt.js';
import { positiveInteger } from './options.js';
import { describeSummary, prepare } from './prepare.js';
import { report } from './report.js';
import { configFrom, type TrainFlags, train, trainOptions } from './train.js';

interface RunFlags extends TrainFlags {
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly adapter?: string;
}

export function register(program: Command): void {
  trainOptions(program.command('run'))
    .description(
      'Does everything: prepare, train, generate, report. Without a folder it synthesises recordings of invented species on ' +
        'the spot, so that the program can be seen working anywhere. Given again, it goes on where it stopped.',
    )
    .argument('[dir]', 'folder with a folder of recordings for each species')
    .option('--out <folder>', "the run's folder", 'lyrebird-run')
    .option('--count <n>', 'synthetic images for each class', positiveInteger, 50)
    .option('--seed <n>', 'of everything random', positiveInteger, 1)
    .addOption(adapterOption())
    .action(async (dir: string | undefined, flags: RunFlags) => {
      const config = await configFrom(flags);
      await interruptible((signal) =>
        withFastEngine(flags, (engine) => runAll({ engine, dir, flags, config, signal })),
      );
    });
}

interface Job {
  readonly engine: Parameters<typeof train>[0];
  readonly dir: string | undefined;
  readonly flags: RunFlags;
  readonly config: Awaited<ReturnType<typeof configFrom>>;
  readonly signal: AbortSignal;
}

async function runAll({ engine, dir, flags, config, signal }: Job): Promise<void> {
  const { out, seed, count } = flags;
  const data = path.join(out, 'dataset');
  if (dir === undefined) {
    console.error(
      'lyrebird: no folder of recordings was given: recordings of invented species are synthesised. ' +
        'For your own: npm start -- FOLDER, with a folder of recordings for each species in it.',
    );
  }
  const source = dir === undefined ? { recordings: synthesiseRecordings({ seed }) } : { dir };
  const summary = await prepare(engine, { ...source, out: data, size: config.size, seed }, signal);
  console.log(describeSummary(summary));
  if (signal.aborted) return;

  const dataset = await readDataset(data);
  const result = await train(engine, dataset, config, out, signal);
  console.log(`${out}: ${result.step} steps, newest checkpoint ${result.checkpoint}`);
  if (!result.complete) return;

  const checkpoint = await readCheckpoint(out);
  const synthetic = path.join(out, 'synthetic');
  const made = await generate(engine, checkpoint, { count, seed }, synthetic, signal);
  console.log(`${synthetic}: ${made} images`);
  if (signal.aborted) return;
  console.log(await report(engine, out, dataset, dir ?? 'recordings synthesised by this program'));
}
