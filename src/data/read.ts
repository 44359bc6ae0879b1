/** A data set on disk: one made by this program, or any folder of pictures, one folder per class. */

import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, systemCode, toUserError, UserError } from '../io/errors.js';
import { insideFolder, readText } from '../io/files.js';
import { type DatasetImage, type DatasetIndex, firstFault, indexName, indexSchema, type Parameters } from './schema.js';
import { defaultFractions, type Fractions, splitRecordings } from './split.js';

/** A data set's images by class and part. */
export interface Dataset {
  dir: string;
  /** Sorted; a label's position here is its number in training. */
  classes: string[];
  /** In folders of pictures each file counts as a recording, and `start` and `seconds` are unknown. */
  images: (Omit<DatasetImage, 'start' | 'seconds'> & Partial<Pick<DatasetImage, 'start' | 'seconds'>>)[];
  /** How the spectrograms were made; absent for a folder of pictures. */
  parameters?: Parameters;
  /** What a reader of results should know. */
  notes: string[];
}

export interface ReadOptions {
  /** How a folder of pictures is split: by file, within each class. Default 80 % training, 20 % test. */
  fractions?: Fractions;
  /** Of that split. Default 0. */
  seed?: number;
}

const pictures = new Set(['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff']);

/**
 * Reads what a data set holds; no image is opened yet. Throws a UserError that names file, field and value if
 * `dataset.json` is damaged or unfinished, or if there are no images.
 */
export async function readDataset(dir: string, options: ReadOptions = {}): Promise<Dataset> {
  const entries = await readdir(dir).catch((error: unknown) => {
    if (systemCode(error) === 'ENOTDIR') throw new UserError(`"${dir}" is a file: name the data set's folder.`);
    throw toUserError(error, dir);
  });
  if (!entries.includes(indexName)) return readPictures(dir, entries, options);
  const index = await readIndex(dir);
  const file = path.join(dir, indexName);
  if (!index.complete) {
    throw new UserError(
      `"${file}" says that the data set is not finished ("complete": false): prepare it again, it goes on where it stopped.`,
    );
  }
  if (index.images.length === 0) throw new UserError(`"${file}" lists no images: prepare the data set again.`);
  for (const [i, { label, file: image }] of index.images.entries()) {
    insideFolder(dir, image);
    if (!index.classes.includes(label)) {
      throw new UserError(
        `"${file}": "images.${i}.label" ("${label}") is not one of its classes (${index.classes.join(', ')}).`,
      );
    }
  }
  const { classes, images, parameters, notes } = index;
  return { dir, classes, images, parameters, notes };
}

/** `dataset.json`, complete or not. Throws a UserError that names the file, the field and its value. */
export async function readIndex(dir: string): Promise<DatasetIndex> {
  const file = path.join(dir, indexName);
  const text = await readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`"${file}" is not valid JSON (${describe(error)}): prepare the data set in a new folder.`, {
      cause: error,
    });
  }
  const index = indexSchema.safeParse(value);
  if (index.success) return index.data;
  throw new UserError(`"${file}": ${firstFault(index.error, value)}. Prepare the data set in a new folder.`);
}

/** `<label>/<picture>` for each folder that is not hidden. */
async function readPictures(dir: string, entries: readonly string[], options: ReadOptions): Promise<Dataset> {
  const found: { label: string; recording: string; file: string }[] = [];
  const notes: string[] = [];
  if (entries.includes('dataset') && (await isKind(path.join(dir, 'dataset', indexName), 'isFile'))) {
    throw new UserError(`"${dir}" is the folder of a run: its data set is "${path.join(dir, 'dataset')}".`);
  }
  for (const label of entries.filter((name) => !name.startsWith('.')).sort()) {
    if (!(await isKind(path.join(dir, label), 'isDirectory'))) continue;
    const { files, fault } = await picturesIn(path.join(dir, label));
    found.push(...files.map((name) => ({ label, recording: name, file: `${label}/${name}` })));
    if (fault !== undefined) notes.push(`"${label}" is left out: ${fault}`);
  }
  if (found.length === 0) {
    throw new UserError(
      `"${dir}" is no data set: it holds no ${indexName}, and no folders with pictures (png, jpg, webp, tif), one for each ` +
        "class. Of a folder of recordings, 'lyrebird prepare' makes a data set.",
    );
  }
  const split = splitRecordings(found, options.fractions ?? defaultFractions, options.seed ?? 0);
  const images = found.map((image, i) => ({ ...image, split: split.parts[i]! }));
  for (const label of split.trainOnly) {
    notes.push(`"${label}" has a single picture: nothing can be said of how well it is recognised. Add a second one.`);
  }
  return { dir, classes: [...new Set(found.map((image) => image.label))], images, notes };
}

/** The names of a folder's pictures, or why there are none. */
async function picturesIn(folder: string): Promise<{ files: string[]; fault?: string }> {
  try {
    const names = (await readdir(folder)).filter(
      (name) => !name.startsWith('.') && pictures.has(path.extname(name).toLowerCase()),
    );
    return names.length > 0 ? { files: names.sort() } : { files: [], fault: 'there are no pictures in it.' };
  } catch (error) {
    return { files: [], fault: describe(error) };
  }
}

/** Follows links; false for one that leads nowhere. */
async function isKind(file: string, kind: 'isFile' | 'isDirectory'): Promise<boolean> {
  const status = await stat(file).catch(() => undefined);
  return status?.[kind]() ?? false;
}
