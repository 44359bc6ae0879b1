/** What `prepare`, `run` and `split` share: how to split, and the look at what came of it. */
import { type Command, InvalidArgumentError } from 'commander';
import { datasetSignatures, findLeaks } from '../data/leaks.js';
import { type Dataset, readIndex } from '../data/read.js';
import { addSplitNotes, type SplitOptions } from '../data/splitImages.js';
import { readSplitTable } from '../data/splitTable.js';
import { UserError } from '../io/errors.js';
import { createProgress } from '../io/progress.js';
import { positiveInteger } from './options.js';

export interface SplitFlags {
  readonly test?: number;
  readonly validation?: number;
  readonly folds?: number;
  readonly split?: string;
}

/** The options that `prepare`, `run` and `split` share. */
export function splitOptions(command: Command): Command {
  return command
    .option('--test <share>', 'of the recordings of each class that test (default: 0.2)', share)
    .option('--validation <share>', 'of the recordings that validate (default: 0)', share)
    .option(
      '--folds <k>',
      'k folds instead, each of which tests once (train --fold); with --validation above 0, the next one validates',
      positiveInteger,
    )
    .option(
      '--split <file>',
      'a table of your own instead: a column file or recording, and part (train, validation, test), fold, or both',
    );
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('Give a number from 0 to below 1.');
  return value;
}

/** What the options ask for. Throws a UserError if nothing is left to train on, or the table cannot be read. */
export async function splitFrom(
  { test = 0.2, validation = 0, folds, split }: SplitFlags,
  seed: number,
): Promise<SplitOptions> {
  // Rounded, so that 0.7 is written as 0.7.
  const train = Math.round(1e9 * (1 - test - validation)) / 1e9;
  if (train <= 0) {
    throw new UserError(
      `${test} to test and ${validation} to validate leave nothing to train on: ask for less than 1 in all.`,
    );
  }
  const splitTable = split === undefined ? undefined : await readSplitTable(split);
  return { fractions: { train, validation, test }, seed, folds, splitTable };
}

/** What parts give away of each other. A prepared data set keeps that among its notes. */
export async function checkParts(dataset: Dataset, signal: AbortSignal): Promise<string[]> {
  const { dir, images, parameters } = dataset;
  const progress = createProgress({ title: 'compare', total: images.length, unit: 'images' });
  try {
    const signatures = await datasetSignatures(dataset, { signal, onProgress: (done) => progress.update(done) });
    const leaks = findLeaks(dataset, signatures);
    if (parameters && leaks.length > 0) await addSplitNotes(dir, await readIndex(dir), leaks);
    return leaks;
  } finally {
    progress.stop();
  }
}
