/** lyrebird prepare DIR: recordings to a data set of spectrograms. */
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createSpectrogrammer } from '../audio/spectrogram.js';
import {
  type DatasetSummary,
  defaultParameters,
  type PrepareOptions,
  prepareDataset,
  readDataset,
} from '../data/dataset.js';
import { checkPlace } from '../data/recordings.js';
import { indexName } from '../data/schema.js';
import { createProgress, formatDuration } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import { DEFAULT_SIZE, SIZES } from '../train/config.js';
import { adapterOption, withFastEngine } from './engine.js';
import { alone } from './interrupt.js';
import { type LabelFlags, labelOptions, labelsFrom } from './labels.js';
import { folder, positiveInteger } from './options.js';
import { LeftOut } from './outcome.js';
import { parametersFrom, type SpectrogramFlags, spectrogramOptions } from './spectrogramOptions.js';
import { checkParts, type SplitFlags, splitFrom, splitOptions } from './splitOptions.js';

export interface PrepareFlags extends SpectrogramFlags, SplitFlags, LabelFlags {
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
  'Recordings, and lines of tables, that cannot be used are left out and listed, and the others go on; the exit code is ' +
  '3 then, or 1 if nothing is left.';

export function register(program: Command): void {
  const command = labelOptions(splitOptions(program.command('prepare')))
    .usage('<dir> --out <folder> [options]')
    .description(
      'Turns recordings into a data set: windows of 2 s, their spectrograms as PNG files, and dataset.json, which ' +
        'says where each came from, how they are split, and what was left out and why. A folder for each species holds its ' +
        'recordings, or tables say what sounds where: selections of Raven, label tracks of Audacity, results of BirdNET, or ' +
        'a CSV file with the columns file, label and, unless it is all of the file, start and end (seconds). ' +
        'Who recorded what, which keeps the parts apart, is said by a column recordist of these, or by a file MANIFEST.tsv in ' +
        '<dir> with the columns file and recordist, parted by tabs. ' +
        `Run it again to go on where it stopped. ${LEFT_OUT}`,
    )
    .argument('<dir>', 'folder with a folder of recordings for each species, or with recordings that --labels is about')
    .requiredOption('--out <folder>', 'where the data set goes', folder)
    .addOption(sizeOption())
    .option('--seed <n>', 'of the split', positiveInteger, 1)
    .addOption(adapterOption());
  spectrogramOptions(command).action(async (dir: string, flags: PrepareFlags & { out: string; adapter?: string }) => {
    const { out, adapter, size, seed } = flags;
    const options = { ...parametersFrom(flags), dir, labels: labelsFrom(flags), out, size, seed };
    const choice = await splitFrom(flags, seed);
    await checkPlace(out, dir);
    const summary = await alone(out, (signal) =>
      withFastEngine({ adapter, tuned: 'none' }, async (engine) => {
        const made = await prepare(engine, { ...options, ...choice }, signal);
        console.log(describeSummary(made));
        return made;
      }),
    );
    reportLeftOut(summary);
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
  const say = (line: string) => (progress ? progress.note(line) : console.error(line));
  try {
    summary = await prepareDataset({
      ...options,
      spectrogrammer,
      signal,
      onProgress: ({ done, total, current, at, images, leftOut }) => {
        progress ??= createProgress({ title: 'prepare', total, unit: 'recordings' });
        progress.update(done, {
          images,
          ...(leftOut > 0 && { 'left out': leftOut }),
          recording: inOneLine(current),
          ...(at >= 60 && { at: formatDuration(at) }),
        });
      },
      onLeftOut: ({ file, line, reason }) =>
        say(`left out: ${inOneLine(file)}${line === undefined ? '' : `, line ${line}`}: ${inOneLine(reason)}`),
    });
  } finally {
    progress?.stop();
  }
  if (!summary.complete) return summary;
  const leaks = await checkParts(await readDataset(options.out), signal);
  return { ...summary, notes: [...leaks, ...summary.notes] }; // first: of many notes only some are shown
}

/** Names of files may hold line breaks, and what else moves a terminal's cursor. */
const inOneLine = (text: string): string =>
  text.replace(/\p{Cc}/gu, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** What was made, and how much was left out. */
export function describeSummary({ dir, classes, counts, notes, leftOut, others, complete }: DatasetSummary): string {
  const made =
    `${dir}: ${counted(counts.images, 'image')} of ${counted(classes.length, 'class', 'classes')} from ` +
    `${counted(counts.recordings, 'recording')}`;
  if (!complete) return `${made} so far; the same command goes on from here`;
  const lines = [
    `${made} (${counts.train} to train,${counts.validation > 0 ? ` ${counts.validation} to validate,` : ''} ${counts.test} to test)`,
    ...listed(notes.map((note) => `note: ${inOneLine(note)}`)),
  ];
  const files = leftOut.filter(({ line }) => line === undefined).length;
  const left = [
    ...(files > 0 ? [counted(files, 'file')] : []),
    ...(leftOut.length > files ? [counted(leftOut.length - files, 'line of tables', 'lines of tables')] : []),
    ...(counts.skippedWindows > 0 ? [counted(counts.skippedWindows, 'window')] : []),
    ...(others.length > 0 ? [counted(others.length, 'file of another kind', 'files of other kinds')] : []),
  ];
  if (left.length > 0) lines.push(`left out: ${left.join(', ')}; dataset.json has the reasons`);
  return lines.join('\n');
}

/** To be called when all is done. Throws what makes the exit code 3 if there is anything that should not be left out. */
export function reportLeftOut({ dir, leftOut }: DatasetSummary): void {
  if (leftOut.length === 0) return;
  const what = counted(leftOut.length, 'recording or line of a table', 'recordings or lines of tables');
  throw new LeftOut(`all is done, but ${what} could not be used: ${path.join(dir, indexName)} says why.`);
}

/** The same of images that cannot be read, which have been named before. */
export function reportUnread(images: number): void {
  if (images > 0) throw new LeftOut(`all is done, but ${counted(images, 'image')} could not be read (see above).`);
}

/** As many lines as a terminal can show; dataset.json has them all. */
const LISTED = 10;

export const listed = (lines: readonly string[]): string[] =>
  lines.length <= LISTED ? [...lines] : [...lines.slice(0, LISTED), `... and ${lines.length - LISTED} more like these`];

/** `1 image`, `2 images`. */
export const counted = (value: number, one: string, many = `${one}s`): string => `${value} ${value === 1 ? one : many}`;
