/** lyrebird split DATASET: which images train, validate and test, decided anew. */
import { constants, existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { foldsOf } from '../data/parts.js';
import { findPictures, splitName, splitPictures } from '../data/pictures.js';
import { type Dataset, entriesIn, readDataset, readIndex } from '../data/read.js';
import { indexName } from '../data/schema.js';
import { checkSplit, countParts, resplit, type SplitChoice } from '../data/splitImages.js';
import { toUserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { csvText } from '../io/table.js';
import { interruptible } from './interrupt.js';
import { positiveInteger } from './options.js';
import { counted } from './prepare.js';
import { checkParts, type SplitFlags, splitFrom, splitOptions } from './splitOptions.js';

export function register(program: Command): void {
  splitOptions(program.command('split'))
    .usage('<dataset> [options]')
    .description(
      'Decides anew which images of a data set train, validate and test: by recordist where known, else by recording, class ' +
        'by class, so that nothing tests that is like what was trained on; or as a table says. No image is made or changed: ' +
        "dataset.json is, or, in a folder of pictures, split.csv. Says what one part gives away of another. 'prepare' " +
        'splits by its own options again.',
    )
    .argument('<dataset>', "data set made by 'lyrebird prepare', or any folder of images")
    .option('--seed <n>', 'of the split', positiveInteger, 1)
    .action(async (dir: string, flags: SplitFlags & { seed: number }) => {
      const choice = checkSplit(await splitFrom(flags, flags.seed));
      let notes: readonly string[] = []; // a prepared data set keeps its own
      if (existsSync(path.join(dir, indexName))) {
        await readDataset(dir); // refuses one that is not finished
        await resplit(dir, await readIndex(dir), choice);
      } else {
        notes = await resplitPictures(dir, choice);
      }
      await interruptible(async (signal) => {
        const dataset = await readDataset(dir);
        console.log(describeSplit(dataset));
        for (const note of [...notes, ...dataset.notes]) console.log(`note: ${note}`);
        for (const leak of await checkParts(dataset, signal)) console.log(`warning: ${leak}`);
      });
    });
}

/** Writes the split of a folder of pictures beside them; each that was there is kept. Returns what could not be as asked. */
async function resplitPictures(dir: string, { split, table }: SplitChoice): Promise<string[]> {
  const { pictures } = await findPictures(dir, await entriesIn(dir));
  const { parts, folds, notes } = splitPictures(pictures, split, table);
  const rows = pictures.map(({ file }, i) => [file, parts[i]!, folds[i] ?? '']);
  const target = path.join(dir, splitName);
  if (existsSync(target)) await keepSplit(dir, target);
  await writeAtomically(target, csvText([['file', 'part', 'fold'], ...rows]));
  return notes;
}

/** A copy as `split-before.csv`, `split-before-2.csv`, ...: whoever wrote the table may have no other. */
async function keepSplit(dir: string, target: string): Promise<void> {
  const nameOf = (k: number) => path.join(dir, k === 1 ? 'split-before.csv' : `split-before-${k}.csv`);
  let k = 1;
  while (existsSync(nameOf(k))) k++;
  const copy = nameOf(k);
  await copyFile(target, copy, constants.COPYFILE_EXCL).catch((error: unknown) => {
    throw toUserError(error, copy);
  });
}

/** Images and classes of each part, or of each fold. */
export function describeSplit({ dir, images }: Dataset): string {
  const folds = foldsOf(images);
  const sizes = folds.map((fold) => images.filter((image) => image.fold === fold).length);
  const inFolds = folds.length > 0 ? [`folds ${folds.join(', ')} of ${sizes.join(', ')} images`] : [];
  const { train, validation, test } = countParts(images);
  const parts = [`${train} to train`, ...(validation > 0 ? [`${validation} to validate`] : []), `${test} to test`];
  return `${dir}: ${counted(images.length, 'image')}: ${[...parts, ...inFolds].join(', ')}`;
}
