/** lyrebird prepare DIR: recordings to a data set of spectrograms. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createSpectrogrammer } from '../audio/spectrogram.js';
import {
  type DatasetSummary,
  defaultParameters,
  type PrepareOptions,
  prepareDataset,
  readDataset,
} from '../data/dataset.js';
import { createProgress } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import { DEFAULT_SIZE, SIZES } from '../train/config.js';
import { adapterOption, withFastEngine } from './engine.js';
import { interruptible } from './interrupt.js';
import { folder, positiveInteger } from './options.js';
import { parametersFrom, type SpectrogramFlags, spectrogramOptions } from './spectrogramOptions.js';
import { checkParts, type SplitFlags, splitFrom, splitOptions } from './splitOptions.js';

export interface PrepareFlags extends SpectrogramFlags, SplitFlags {
  readonly size: number;
  readonly seed: number;
}

/** `otherwise` says in words what the size is when none is given; without it, it is DEFAULT_SIZE. */
export const sizeOption = (otherwise?: string): Option => {
  const sides = SIZES.join(', ');
  const text = `side of the images: ${sides}${otherwise === undefined ? '' : ` (default: ${otherwise})`}`;
  const option = new Option('--size <pixels>', text).argParser((given) => {
    const size = Number(given);
    if (!SIZES.some((known) => known === size)) throw new InvalidArgumentError(`Give ${sides}.`);
    return size;
  });
  return otherwise === undefined ? option.default(DEFAULT_SIZE) : option;
};

/** What `prepare` and `run` say of recordings that they cannot use. */
export const LEFT_OUT =
  'Recordings that cannot be used are left out, counted and listed, and the exit code is 0 all the same; it is 1 only if ' +
  'nothing is left.';

export function register(program: Command): void {
  const command = splitOptions(program.command('prepare'))
    .usage('<dir> --out <folder> [options]')
    .description(
      'Turns recordings, a folder for each species, into a data set: windows of 2 s, their spectrograms as PNG files, ' +
        'and dataset.json, which says where each came from, how they are split, and what was left out and why. ' +
        `Run it again to go on where it stopped. ${LEFT_OUT}`,
    )
    .argument('<dir>', 'folder with a folder of recordings for each species')
    .requiredOption('--out <folder>', 'where the data set goes', folder)
    .addOption(sizeOption())
    .option('--seed <n>', 'of the split', positiveInteger, 1)
    .addOption(adapterOption());
  spectrogramOptions(command).action(async (dir: string, flags: PrepareFlags & { out: string; adapter?: string }) => {
    const { out, adapter, size, seed } = flags;
    const choice = await splitFrom(flags, seed);
    await interruptible((signal) =>
      withFastEngine({ adapter }, async (engine) => {
        const summary = await prepare(engine, { ...parametersFrom(flags), dir, out, size, seed, ...choice }, signal);
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
  const spectrogrammer = createSpectrogrammer(engine, { ...defaultParameters, ...options });
  let progress: ReturnType<typeof createProgress> | undefined;
  let summary: DatasetSummary;
  try {
    summary = await prepareDataset({
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
  if (!summary.complete) return summary;
  const leaks = await checkParts(await readDataset(options.out), signal);
  return { ...summary, notes: [...summary.notes, ...leaks] };
}

/** What was made, and what was left out. */
export function describeSummary({ dir, classes, counts, notes, skipped, unused, complete }: DatasetSummary): string {
  const made =
    `${dir}: ${counted(counts.images, 'image')} of ${counted(classes.length, 'class', 'classes')} from ` +
    `${counted(counts.recordings, 'recording')}`;
  if (!complete) return `${made} so far; the same command goes on from here`;
  const files = [...skipped.filter(({ start }) => start === undefined), ...unused];
  const lines = [
    `${made} (${counts.train} to train,${counts.validation > 0 ? ` ${counts.validation} to validate,` : ''} ${counts.test} to test)`,
    ...listed(notes.map((note) => `note: ${note}`)),
    ...listed(files.map(({ file, reason }) => `left out: ${file}: ${reason}`)),
  ];
  if (files.length + counts.skippedWindows > 0) {
    const windows = counted(counts.skippedWindows, 'window');
    lines.push(`left out in all: ${counted(files.length, 'file')} and ${windows}; dataset.json has the reasons`);
  }
  return lines.join('\n');
}

/** As many lines as a terminal can show; dataset.json has them all. */
const LISTED = 10;

const listed = (lines: readonly string[]): string[] =>
  lines.length <= LISTED ? [...lines] : [...lines.slice(0, LISTED), `... and ${lines.length - LISTED} more like these`];

/** `1 image`, `2 images`. */
export const counted = (value: number, one: string, many = `${one}s`): string => `${value} ${value === 1 ? one : many}`;
