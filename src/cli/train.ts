/** lyrebird train DATASET: trains DR-ACGAN on a data set of images. */
import { isDeepStrictEqual } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { areSynthesised } from '../audio/syrinx.js';
import type { AugmentConfig } from '../data/augment.js';
import { type Dataset, readDataset } from '../data/read.js';
import { UserError } from '../io/errors.js';
import { insideFolder, isInside } from '../io/files.js';
import type { LogRecord } from '../io/log.js';
import { type Channels, FITS, type Fit, readPixels } from '../io/pixels.js';
import { createProgress, type ProgressFields } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import { UPSAMPLING } from '../models/generator.js';
import {
  checkConfig,
  DEFAULT_SIZE,
  PRESETS,
  type Preset,
  presetConfig,
  readConfigFile,
  SIZES,
  type TrainConfig,
} from '../train/config.js';
import { ADVERSARIAL, CLASS_HEADS } from '../train/objective.js';
import type { Precision } from '../train/precision.js';
import { RATE_SCHEDULES } from '../train/rates.js';
import { type TrainResult, trainGan } from '../train/trainer.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { alone } from './interrupt.js';
import { augmentOption, folder, positiveInteger, positiveNumber, wholeNumber } from './options.js';
import { precisionOption } from './precision.js';
import { counted, reportUnread, sizeOption } from './prepare.js';
import { ignoredEdits, resumable, startAnew } from './resume.js';

export interface TrainFlags {
  readonly preset: Preset;
  readonly size?: number;
  readonly steps?: number;
  readonly batch?: number;
  readonly seed?: number;
  readonly learningRate?: number;
  readonly discriminatorRate?: number;
  readonly rateSchedule?: TrainConfig['rateSchedule'];
  readonly adversarial?: TrainConfig['adversarial'];
  readonly classHead?: TrainConfig['classHead'];
  readonly discriminatorSteps?: number;
  readonly upsampling?: TrainConfig['upsampling'];
  readonly conditionalNorm?: true;
  readonly watch?: boolean;
  readonly precision?: Precision;
  readonly checkpointActivations?: boolean;
  readonly keepEvery?: number;
  readonly fold?: number;
  readonly balanced?: true;
  readonly augment?: AugmentConfig;
  readonly config?: string;
  readonly tensorboard?: boolean;
  /** Of pictures: `train` only. */
  readonly channels?: Channels;
  readonly fit?: Fit;
}

/** For verbs that make training steps. */
export const checkpointOption = (): Option =>
  new Option('--checkpoint-activations', 'compute activations again for the gradients: less memory, for more time');

/** The options that `train` and `run` share; `otherwise` is the size when none is given, in words. */
export function trainOptions(command: Command, otherwise: string): Command {
  return command
    .addOption(
      new Option(
        '--preset <name>',
        'small: for CPUs, 500 steps; reference: a generator twice as wide, 2000 steps; medium: so at 128 x 128, 10 000 steps; ' +
          'paper: 256 x 256 at full width, 20 000 steps',
      )
        .choices(PRESETS)
        .default('small'),
    )
    .addOption(sizeOption(otherwise))
    .option('--steps <n>', 'updates of the generator (default: by preset)', positiveInteger)
    .option('--batch <n>', 'real images a step (default: 16)', positiveInteger)
    .option('--seed <n>', 'of everything random (default: 1)', positiveInteger)
    .option('--learning-rate <r>', 'of both networks (default: by preset)', positiveNumber)
    .option('--discriminator-rate <r>', 'learning rate of the discriminator alone', positiveNumber)
    .addOption(
      new Option('--rate-schedule <s>', 'constant (default), or falling to 0 at the last step').choices(RATE_SCHEDULES),
    )
    .addOption(new Option('--adversarial <loss>', 'of real against generated (default: bce)').choices(ADVERSARIAL))
    .addOption(
      new Option(
        '--class-head <kind>',
        'ac (default), or adc: the discriminator has classes of their own for generated images',
      ).choices(CLASS_HEADS),
    )
    .option(
      '--discriminator-steps <n>',
      'updates of the discriminator for each of the generator (default: 1)',
      positiveInteger,
    )
    .addOption(
      new Option('--upsampling <how>', "of the generator's blocks (default: transposed convolution)").choices(
        UPSAMPLING,
      ),
    )
    .option('--conditional-norm', 'batch norms of the generator scale and shift by class')
    .option('--no-watch', 'go on even if nothing more is learnt')
    .addOption(precisionOption())
    .addOption(checkpointOption())
    .option(
      '--keep-every <n>',
      'steps between checkpoints that stay for good, beside the newest three',
      positiveInteger,
    )
    .option('--fold <k>', 'of a data set in folds: the one that tests (default: the parts that it lists)', wholeNumber)
    .option('--balanced', 'draw each class equally often, however many images it has')
    .addOption(augmentOption())
    .option(
      '--config <file>',
      'JSON file with any fields of config.json: they override the preset, and options override them',
    )
    .option('--no-tensorboard', "leave out the event files in the run's folder tensorboard/, for TensorBoard to show");
}

/** Parsed as the number that the config holds. */
const channelsOption = (): Option =>
  new Option('--channels <n>', '1: grey (default), 3: colours').argParser((given) => {
    if (given !== '1' && given !== '3') throw new InvalidArgumentError('Give 1 or 3.');
    return Number(given);
  });

export function register(program: Command): void {
  trainOptions(program.command('train'), `that of the data set, else ${DEFAULT_SIZE}`)
    .usage('<dataset> --out <folder> [options]')
    .description(
      'Trains DR-ACGAN: a generator of labelled spectrograms and a discriminator that judges and names them. ' +
        'The run folder gets config.json, log.jsonl, checkpoints/, samples/ and tensorboard/. A run that was stopped (^C saves first) ' +
        'goes on from its newest checkpoint when the same command is given again.',
    )
    .argument('<dataset>', "data set made by 'lyrebird prepare', or any folder of images with a folder for each class")
    .requiredOption('--out <folder>', "the run's folder", folder)
    .addOption(channelsOption())
    .addOption(
      new Option(
        '--fit <how>',
        'pictures that are not square: stretch (default) each axis on its own, pad with black, or crop to the middle',
      ).choices(FITS),
    )
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (data: string, { out, adapter, tuned, ...flags }: TrainFlags & DeviceFlags & { out: string }) => {
      const { parameters } = await readDataset(data);
      const config = await configFrom(flags, parameters?.size);
      const dataset = await readDataset(data, { fold: config.fold });
      const isNew = !(await resumable(out, config));
      if (isInside(out, data)) throw new UserError(`"${out}" lies in the data set, "${data}": choose another --out.`);
      const { leftOut } = await alone(out, (signal) =>
        withFastEngine({ adapter, tuned }, async (engine) => {
          if (isNew)
            for (const note of [...dataset.notes, ...(await colourNote(dataset, config))])
              console.error(`note: ${note}`);
          const result = await train(engine, dataset, config, { ...flags, out, signal });
          console.log(describeTraining(result, config, out));
          return result;
        }),
      );
      reportUnread(leftOut);
    });
}

/**
 * The preset, changed by the config file, changed by the options. Throws a UserError that names a wrong field.
 * `own` is the size that the images have, which is the default if it is one that can be trained.
 */
export async function configFrom(flags: TrainFlags, own?: number): Promise<TrainConfig> {
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const wanted = flags.size ?? ('size' in file ? file.size : own);
  const preset = presetConfig(flags.preset, SIZES.find((size) => size === wanted) ?? DEFAULT_SIZE);
  if (flags.size !== undefined && flags.size !== preset.size) {
    throw new UserError(`The preset ${flags.preset} has a size of its own, ${preset.size}: leave out --size.`);
  }
  const { size, channels, fit, fold, balanced, augment, precision, steps, batch, seed, learningRate } = flags;
  const { rateSchedule, adversarial, classHead, discriminatorSteps, checkpointActivations, keepEvery } = flags;
  const rates = { learningRateG: learningRate, learningRateD: flags.discriminatorRate ?? learningRate, rateSchedule };
  const images = { size, channels, fit, fold, balanced, augment };
  const { upsampling, conditionalNorm } = flags;
  const watch = flags.watch === false ? false : undefined;
  const objective = { adversarial, classHead, discriminatorSteps, upsampling, conditionalNorm, watch };
  const given = { ...images, ...objective, precision, steps, batch, seed, ...rates, checkpointActivations, keepEvery };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return checkConfig({ ...preset, ...file, ...set }, flags.config === undefined ? 'The options' : `"${flags.config}"`);
}

interface Training extends Pick<TrainFlags, 'tensorboard'> {
  /** The run's folder. */
  readonly out: string;
  readonly signal: AbortSignal;
}

/** Trains, or goes on, with progress on stderr. */
export async function train(
  engine: Engine,
  dataset: Dataset,
  config: TrainConfig,
  { out, signal, tensorboard = true }: Training,
): Promise<TrainResult> {
  const checkpoint = await resumable(out, config);
  if (checkpoint && !isDeepStrictEqual(checkpoint.classes, dataset.classes)) {
    const [before, now] = [checkpoint.classes.join(', '), dataset.classes.join(', ')];
    throw new UserError(
      `"${out}" holds a run on other classes: ${before}. Those of the data set are ${now}. ${startAnew(out)}`,
    );
  }
  const synthetic = areSynthesised(dataset.classes);
  const progress = createProgress({ title: 'train', total: config.steps, done: checkpoint?.step ?? 0 });
  if (checkpoint) for (const note of await ignoredEdits(out, checkpoint, config)) progress.note(note);
  if (checkpoint && checkpoint.step < config.steps) progress.note(`going on from ${checkpoint.file}`);
  try {
    return await trainGan({
      engine,
      dataset,
      config,
      out,
      synthetic,
      tensorboard,
      signal,
      ...(checkpoint && { checkpoint }),
      onNote: (line) => progress.note(line),
      onOpen: throttled((done, total) => progress.note(`opening images: ${done} of ${total}`)),
      onStep: (step, latest) => progress.update(step, shownOf(latest)),
    });
  } finally {
    progress.stop();
  }
}

/** What is shown beside the bar, by its field in the log. */
const SHOWN = { lossD: 'D', lossG: 'G', kernelDistance: 'kernel distance' } as const;

function shownOf(latest: LogRecord): ProgressFields {
  const numbers = Object.entries(SHOWN).flatMap(([field, name]) => {
    const value = latest[field];
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
  const { loaderWait } = latest;
  const waited = typeof loaderWait === 'number' && loaderWait >= 0.5 && { 'loader wait': `${loaderWait.toFixed(1)} s` };
  return { ...Object.fromEntries(numbers), ...waited };
}

/** Milliseconds between lines about images that are being opened: few data sets have so many that there is one. */
const OPENING = 10_000;

/** Told at most that often, and not at once. */
function throttled(tell: (done: number, total: number) => void): (done: number, total: number) => void {
  let last = performance.now();
  return (done, total) => {
    if (performance.now() - last < OPENING) return;
    last = performance.now();
    tell(done, total);
  };
}

/** What to say of colours that will be lost: of pictures by others, by the first that can be read. */
async function colourNote({ dir, images, parameters }: Dataset, { channels }: TrainConfig): Promise<string[]> {
  if (parameters || channels === 3) return [];
  for (const { file } of images) {
    const pixels = await readPixels(insideFolder(dir, file), { size: 32, channels: 3 }).catch(() => undefined);
    if (!pixels) continue;
    const isGray = pixels.every((level, i) => level === pixels[i - (i % 3)]);
    return isGray ? [] : ['The pictures are in colour, and are trained on in grey; --channels 3 keeps their colours.'];
  }
  return [];
}

/** How far it came. */
export function describeTraining(
  { step, complete, checkpoint, best }: TrainResult,
  { steps }: TrainConfig,
  out: string,
): string {
  if (!complete) return `${out}: stopped after ${step} of ${steps} steps; the same command goes on from ${checkpoint}`;
  const more = step > steps ? ` (${steps} were asked for; it had made more before)` : '';
  const nearest = best === undefined || best === step ? '' : `; the best is of step ${best} (--checkpoint best)`;
  return `${out}: ${counted(step, 'step')}${more}, newest checkpoint ${checkpoint}${nearest}`;
}
