/** lyrebird prepare DIR: recordings to a data set of spectrograms. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createSpectrogrammer } from '../audio/scalogram.js';
import { type DatasetSummary, defaultParameters, type PrepareOptions, prepareDataset } from '../data/dataset.js';
import { createProgress } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import { SIZES } from '../train/config.js';
import { adapterOption, withFastEngine } from './engine.js';
import { interruptible } from './interrupt.js';
import { positiveInteger, positiveNumber } from './options.js';

export interface PrepareFlags {
  readonly size: number;
  readonly fmin: number;
  readonly fmax: number;
  readonly window: number;
  readonly hop: number;
  readonly seed: number;
}

export const sizeOption = (): Option =>
  new Option('--size <pixels>', `side of the images: ${SIZES.join(', ')}`).default(32).argParser((text) => {
    const size = Number(text);
    if (!SIZES.some((known) => known === size)) throw new InvalidArgumentError(`Give ${SIZES.join(', ')}.`);
    return size;
  });

export function register(program: Command): void {
  program
    .command('prepare')
    .description(
      'Turns recordings, a folder for each species, into a data set: windows of 2 s, their wavelet spectrograms as PNG ' +
        'files, and dataset.json, which says where each came from, how they are split, and what was left out and why. ' +
        'Run it again to go on where it stopped.',
    )
    .argument('<dir>', 'folder with a folder of recordings for each species')
    .requiredOption('--out <folder>', 'where the data set goes')
    .addOption(sizeOption())
    .option('--fmin <hertz>', 'frequency of the lowest row', positiveNumber, defaultParameters.fmin)
    .option('--fmax <hertz>', 'frequency of the highest row', positiveNumber, defaultParameters.fmax)
    .option('--window <seconds>', 'length of a window', positiveNumber, defaultParameters.window)
    .option('--hop <seconds>', 'from one window to the next', positiveNumber, defaultParameters.hop)
    .option('--seed <n>', 'of the split into training and test recordings', positiveInteger, 1)
    .addOption(adapterOption())
    .action(async (dir: string, options: PrepareFlags & { out: string; adapter?: string }) => {
      const { out, adapter, ...flags } = options;
      await interruptible((signal) =>
        withFastEngine({ adapter }, async (engine) => {
          const summary = await prepare(engine, { dir, out, ...flags }, signal);
          console.log(describeSummary(summary));
        }),
      );
    });
}

/** Makes the data set, with progress on stderr. */
export async function prepare(
  engine: Engine,
  options: Omit<PrepareOptions, 'spectrogrammer'>,
  signal: AbortSignal,
): Promise<DatasetSummary> {
  const settings = { ...defaultParameters, ...options };
  const { size, fmin, fmax, w0, rangeDb } = settings;
  const spectrogrammer = createSpectrogrammer(engine, { size, fmin, fmax, w0, rangeDb });
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    return await prepareDataset({
      ...options,
      spectrogrammer,
      signal,
      onProgress: ({ done, total, current, images, skipped }) => {
        progress ??= createProgress({ title: 'prepare', total, unit: 'recordings' });
        progress.update(done, { images, ...(skipped > 0 && { skipped }), recording: current });
      },
    });
  } finally {
    progress?.stop();
  }
}

/** What was made, and what was left out. */
export function describeSummary({ dir, classes, counts, notes, skipped, complete }: DatasetSummary): string {
  const lines = [
    `${dir}: ${counts.images} images of ${classes.length} classes from ${counts.recordings} recordings ` +
      `(${counts.train} to train, ${counts.test} to test)${complete ? '' : '; not finished: run it again to go on'}`,
    ...notes.map((note) => `note: ${note}`),
    ...skipped
      .filter(({ start }) => start === undefined)
      .slice(0, LISTED)
      .map(({ file, reason }) => `left out: ${file}: ${reason}`),
  ];
  const { skippedFiles, skippedWindows } = counts;
  if (skippedFiles + skippedWindows > 0) {
    lines.push(`left out in all: ${skippedFiles} files, ${skippedWindows} windows; the reasons are in dataset.json`);
  }
  return lines.join('\n');
}

/** Files left out that the terminal lists; the rest is in dataset.json. */
const LISTED = 10;
