/**
 * Any folder of pictures as a data set: a folder for each class, or a table `labels.csv` with the columns `file` and `label`
 * and, where known, `recording` and `recordist`. Their split is in `split.csv` (see splitTable.ts), which `lyrebird split`
 * writes, or in labels.csv; without either, they are split by recordist, recording or file.
 */

import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, UserError } from '../io/errors.js';
import { insideFolder } from '../io/files.js';
import { columnOf, readTable, rowError } from '../io/table.js';
import type { Fold, Part } from './parts.js';
import { indexName } from './schema.js';
import { type SplitItem, type SplitSettings, splitRecordings } from './split.js';
import { importSplit, readSplitTable, type SplitTable } from './splitTable.js';

export const labelsName = 'labels.csv';
export const splitName = 'split.csv';

const extensions = new Set(['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff']);

/** By its name. */
export const isPicture = (name: string): boolean => extensions.has(path.extname(name).toLowerCase());

export interface Picture extends SplitItem {
  /** Path below the folder, with /. */
  file: string;
}

/**
 * Classes, images and notes of a folder of which `names` are the entries; `settings` are for pictures without a split of their
 * own. Throws a UserError if there are no pictures, or a table is wrong.
 */
export async function readPictures(dir: string, names: readonly string[], settings: SplitSettings) {
  const { pictures, notes } = await findPictures(dir, names);
  const split = splitPictures(pictures, settings, await ownSplit(dir, names));
  const images = pictures.map((picture, i) => ({
    ...picture,
    split: split.parts[i]!,
    ...(split.folds[i] !== undefined && { fold: split.folds[i] }),
  }));
  const classes = [...new Set(images.map(({ label }) => label))].sort();
  return { classes, images, notes: [...notes, ...split.notes] };
}

/** Pictures and what is known of them; notes on what was left out. */
export async function findPictures(
  dir: string,
  names: readonly string[],
): Promise<{ pictures: Picture[]; notes: string[] }> {
  if (names.includes(labelsName)) return { pictures: await labelledPictures(dir), notes: [] };
  if (names.includes('dataset') && existsSync(path.join(dir, 'dataset', indexName))) {
    throw new UserError(`"${dir}" is the folder of a run: its data set is "${path.join(dir, 'dataset')}".`);
  }
  const pictures: Picture[] = [];
  const notes: string[] = [];
  for (const label of names.filter((name) => !name.startsWith('.')).sort()) {
    if (!(await isFolder(path.join(dir, label)))) continue;
    const { files, fault } = await picturesIn(path.join(dir, label));
    pictures.push(...files.map((name) => ({ label, recording: name, file: `${label}/${name}` })));
    if (fault !== undefined) notes.push(`"${label}" is left out: ${fault}`);
  }
  if (pictures.length > 0) return { pictures, notes };
  throw new UserError(
    `"${dir}" is no data set: it holds no ${indexName}, no ${labelsName}, and no folders with pictures (png, jpg, webp, ` +
      "tif), one for each class. Of a folder of recordings, 'lyrebird prepare' makes a data set.",
  );
}

/** Splits by a table if there is one, else by the settings. */
export function splitPictures(
  pictures: readonly Picture[],
  settings: SplitSettings,
  table?: SplitTable,
): { parts: Part[]; folds: Fold[]; notes: string[] } {
  if (table) return importSplit(pictures, table, settings.fractions.validation > 0);
  return splitRecordings(pictures, { ...settings, unit: 'picture' });
}

/** The pictures that labels.csv names, in its order. */
async function labelledPictures(dir: string): Promise<Picture[]> {
  const table = await readTable(path.join(dir, labelsName));
  const lacking = ['file', 'label'].find((name) => columnOf(table, name) === undefined);
  if (lacking !== undefined || table.rows.length === 0) {
    const fault = lacking === undefined ? 'names no pictures' : `lacks the column "${lacking}"`;
    throw new UserError(`"${table.file}" ${fault}: it needs the columns file and label, and a line for each picture.`);
  }
  const seen = new Set<string>();
  return table.rows.map((row) => {
    const { label = '', recording = '', recordist = '' } = row.cells;
    const file = row.cells.file!.replaceAll('\\', '/');
    if (file === '' || label === '') throw rowError(table, row, `"${file === '' ? 'file' : 'label'}" is empty.`);
    insideFolder(dir, file);
    if (seen.has(file)) throw rowError(table, row, `"${file}" is named a second time.`);
    seen.add(file);
    return {
      label,
      file,
      recording: recording || file,
      ...(recording && { source: recording }),
      ...(recordist && { recordist }),
    };
  });
}

async function ownSplit(dir: string, names: readonly string[]): Promise<SplitTable | undefined> {
  if (names.includes(splitName)) return readSplitTable(path.join(dir, splitName));
  if (!names.includes(labelsName)) return undefined;
  const labels = path.join(dir, labelsName);
  return columnOf(await readTable(labels), 'part', 'split', 'fold') === undefined ? undefined : readSplitTable(labels);
}

/** The names of a folder's pictures, or why there are none. */
async function picturesIn(folder: string): Promise<{ files: string[]; fault?: string }> {
  try {
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.') && isPicture(name));
    return names.length > 0 ? { files: names.sort() } : { files: [], fault: 'there are no pictures in it.' };
  } catch (error) {
    return { files: [], fault: describe(error) };
  }
}

/** Follows links; false for one that leads nowhere. */
async function isFolder(file: string): Promise<boolean> {
  const status = await stat(file).catch(() => undefined);
  return status?.isDirectory() ?? false;
}
