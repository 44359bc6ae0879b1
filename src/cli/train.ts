/** lyrebird train DATASET: trains DR-ACGAN on a data set of images. */
import path from 'node:path';
import { type Command, Option } from 'commander';
import { type Dataset, readDataset } from '../data/read.js';
import { UserError } from '../io/errors.js';
import { readText } from '../io/files.js';
import { createProgress } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import { type Checkpoint, latestCheckpoint, readCheckpoint } from '../train/checkpoint.js';
import { checkConfig, PRESETS, type Preset, presetConfig, type TrainConfig } from '../train/config.js';
import { type TrainResult, trainGan } from '../train/trainer.js';
import { adapterOption, withFastEngine } from './engine.js';
import { interruptible } from './interrupt.js';
import { positiveInteger, positiveNumber } from './options.js';
import { sizeOption } from './prepare.js';

export interface TrainFlags {
  readonly preset: Preset;
  readonly size: number;
  readonly steps?: number;
  readonly batch?: number;
  readonly seed?: number;
  readonly learningRate?: number;
  readonly config?: string;
}

/** The options that `train` and `run` share. */
export function trainOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--preset <name>', 'small: for CPUs; reference: wider; paper: 256 x 256 at full width')
        .choices(PRESETS)
        .default('small'),
    )
    .addOption(sizeOption())
    .option('--steps <n>', 'updates of each network (default: by preset)', positiveInteger)
    .option('--batch <n>', 'real images a step (default: 16)', positiveInteger)
    .option('--learning-rate <r>', 'of both networks (default: by preset)', positiveNumber)
    .option('--config <file>', 'JSON file with any of the fields of config.json; they go before the preset');
}

export function register(program: Command): void {
  trainOptions(program.command('train'))
    .description(
      'Trains DR-ACGAN: a generator of labelled spectrograms and a discriminator that judges and names them. ' +
        'The run folder gets config.json, log.jsonl, checkpoints/ and samples/. A run that was stopped (^C saves first) ' +
        'goes on from its newest checkpoint when the same command is given again.',
    )
    .argument('<dataset>', "data set made by 'lyrebird prepare', or any folder of images with a folder for each class")
    .requiredOption('--out <folder>', "the run's folder")
    .option('--seed <n>', 'of weights, noise and order', positiveInteger)
    .addOption(adapterOption())
    .action(async (data: string, { out, adapter, ...flags }: TrainFlags & { out: string; adapter?: string }) => {
      const config = await configFrom(flags);
      await interruptible((signal) =>
        withFastEngine({ adapter }, async (engine) => {
          const result = await train(engine, await readDataset(data), config, out, signal);
          console.log(`${out}: ${result.step} steps, newest checkpoint ${result.checkpoint}`);
        }),
      );
    });
}

/** The preset, changed by the config file, changed by the flags. Throws a UserError that names a wrong field. */
export async function configFrom(flags: TrainFlags): Promise<TrainConfig> {
  const preset = presetConfig(flags.preset, flags.size as TrainConfig['size']);
  const file = flags.config === undefined ? {} : await jsonFile(flags.config);
  const { steps, batch, seed, learningRate } = flags;
  const given = { steps, batch, seed, learningRateG: learningRate, learningRateD: learningRate };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return checkConfig({ ...preset, ...file, ...set }, flags.config ?? 'the options');
}

async function jsonFile(file: string): Promise<object> {
  const text = await readText(file);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new UserError(`"${file}" is not valid JSON: ${(error as Error).message}.`);
  }
  throw new UserError(`"${file}" must hold a JSON object with fields of config.json.`);
}

/** Fields that may differ when a run goes on. */
const FREE = new Set(['steps', 'sampleEvery', 'checkpointEvery']);

/** Trains, or goes on, with progress on stderr. */
export async function train(
  engine: Engine,
  dataset: Dataset,
  config: TrainConfig,
  out: string,
  signal: AbortSignal,
): Promise<TrainResult> {
  const checkpoint = await resumable(out, dataset, config);
  const synthetic = dataset.classes.some((label) => label.startsWith('synthetic '));
  const progress = createProgress({ title: 'train', total: config.steps, done: checkpoint?.step ?? 0 });
  if (checkpoint) progress.note(`going on from ${checkpoint.file}`);
  try {
    return await trainGan({
      engine,
      dataset,
      config,
      out,
      synthetic,
      signal,
      ...(checkpoint && { checkpoint }),
      onStep: (step, { sourceD, classD, sourceG, classG }) =>
        progress.update(step, { D: sourceD + classD, G: sourceG + classG }),
    });
  } finally {
    progress.stop();
  }
}

/** The checkpoint to go on from, if the folder has one. Throws a UserError if it is of another run. */
async function resumable(out: string, dataset: Dataset, config: TrainConfig): Promise<Checkpoint | undefined> {
  if (!(await latestCheckpoint(out))) return undefined;
  const checkpoint = await readCheckpoint(out);
  const advice = `Give another --out, or remove ${path.join(out, 'checkpoints')} to start anew.`;
  if (checkpoint.classes.join() !== dataset.classes.join()) {
    throw new UserError(`"${out}" holds a run on other classes (${checkpoint.classes.join(', ')}). ${advice}`);
  }
  for (const [field, value] of Object.entries(config)) {
    const before = checkpoint.config[field as keyof TrainConfig];
    if (!FREE.has(field) && JSON.stringify(before) !== JSON.stringify(value)) {
      throw new UserError(
        `"${out}" holds a run with ${field} ${JSON.stringify(before)}, and ${JSON.stringify(value)} was asked for. ${advice}`,
      );
    }
  }
  return checkpoint;
}
