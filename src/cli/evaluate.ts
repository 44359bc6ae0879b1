/** lyrebird evaluate RUN: how good a run's generator is, in numbers. */
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Dataset, readDataset } from '../data/read.js';
import { EVALUATION_FILES } from '../io/evaluation.js';
import { writeAtomically } from '../io/files.js';
import { createProgress } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import type { Checkpoint } from '../train/checkpoint.js';
import { measureQuality, type Quality, type Stage } from '../train/quality.js';
import { type CheckpointFlags, checkpointOptions, chosenCheckpoint } from './checkpoint.js';
import { imagesPerClass } from './counts.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { describeEvaluation } from './evaluationTable.js';
import { alone } from './interrupt.js';
import { positiveInteger } from './options.js';
import { reportUnread } from './prepare.js';
import { checkClasses, ownDataset, report } from './report.js';

interface EvaluateFlags extends DeviceFlags, CheckpointFlags {
  readonly dataset?: string;
  readonly count?: number;
  readonly k: number;
  readonly seed: number;
  readonly json?: string;
}

export function register(program: Command): void {
  checkpointOptions(program.command('evaluate'))
    .usage('<run> [options]')
    .description(
      'Says how good a generator is: how far what it makes lies from the training images (Frechet and kernel distance), how ' +
        'much of it is true to them and how much of them it reaches (precision, recall, density, coverage), whether ' +
        'classifiers learn from it (GAN-train) and know it (GAN-test), and whether it copies. Every number stands beside what ' +
        'held-out real images give, with an interval. Features come from a small classifier of its own, trained on the training ' +
        'part and kept with the run. Writes evaluation.json, neighbours.png and, for a whole run, report.html.',
    )
    .argument('<run>', "the run's folder, or one of its checkpoint files")
    .option('--dataset <folder>', 'the data set it was trained on (default: the folder dataset in the run)')
    .option(
      '--count <n>',
      'images to generate of each class (default: as many as there are to train on, about a thousand in all at most)',
      imagesPerClass,
    )
    .option('--k <n>', 'nearest neighbours of precision, recall, density and coverage', neighbourCount, 5)
    .option('--seed <n>', 'of noise and draws', positiveInteger, 1)
    .option('--json <file>', 'write the numbers to this file, too')
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (fileOrRun: string, flags: EvaluateFlags) => {
      const checkpoint = await chosenCheckpoint(fileOrRun, flags);
      const run = runOf(fileOrRun);
      const dataset = await readDataset(flags.dataset ?? ownDataset(run), { fold: checkpoint.config.fold });
      checkClasses(run, checkpoint, dataset);
      const leftOut = await alone(run, (signal) =>
        withFastEngine(flags, async (engine) => {
          for (const note of dataset.notes) console.error(`note: ${note}`);
          const quality = await measure({ engine, run, dataset, checkpoint }, flags, signal);
          console.log(describeEvaluation(quality.evaluation));
          const written = await write(quality, run, flags.json);
          if (run === fileOrRun) {
            written.push((await report(engine, run, checkpoint, dataset, dataset.dir, flags.weights)).page);
          }
          console.log(`\nwritten: ${written.join(', ')}`);
          return quality.leftOut;
        }),
      );
      reportUnread(leftOut);
    });
}

/** As many as a kernel keeps at hand. */
const MOST_NEIGHBOURS = 64;

/** The parser of `--k`. */
export function neighbourCount(text: string): number {
  const k = positiveInteger(text);
  if (k > MOST_NEIGHBOURS) throw new InvalidArgumentError(`Give at most ${MOST_NEIGHBOURS}.`);
  return k;
}

/** The folder of the run that a checkpoint file belongs to; a folder itself. */
export function runOf(fileOrRun: string): string {
  if (!fileOrRun.endsWith('.safetensors')) return fileOrRun;
  const folder = path.dirname(fileOrRun);
  return path.basename(path.resolve(folder)) === 'checkpoints' ? path.dirname(path.resolve(folder)) : folder;
}

interface Subject {
  readonly engine: Engine;
  readonly run: string;
  readonly dataset: Dataset;
  readonly checkpoint: Checkpoint;
}

/** What is counted in each stage. */
const UNITS: Readonly<Record<Stage, string>> = {
  features: 'epochs',
  generate: 'images',
  compare: 'sets',
  'GAN-train': 'epochs',
};

/** Measures, with progress on stderr. */
async function measure(
  subject: Subject,
  { count, k, seed, weights }: EvaluateFlags,
  signal: AbortSignal,
): Promise<Quality> {
  let current: { stage: Stage; progress: ReturnType<typeof createProgress> } | undefined;
  try {
    return await measureQuality({
      ...subject,
      weights,
      count,
      k,
      seed,
      signal,
      onNote: (line) => console.error(`note: ${line}`),
      onProgress: (stage, done, total, fields) => {
        if (current?.stage !== stage) {
          current?.progress.stop();
          current = { stage, progress: createProgress({ title: stage, total, unit: UNITS[stage] }) };
        }
        current.progress.update(done, fields);
      },
    });
  } finally {
    current?.progress.stop();
  }
}

async function write({ evaluation, sheet }: Quality, run: string, json: string | undefined): Promise<string[]> {
  const text = `${JSON.stringify(evaluation, null, 1)}\n`;
  const files = [path.join(run, EVALUATION_FILES.numbers), ...(json === undefined ? [] : [json])];
  for (const file of files) await writeAtomically(file, text);
  const picture = path.join(run, EVALUATION_FILES.sheet);
  await writeAtomically(picture, sheet);
  return [...files, picture];
}
