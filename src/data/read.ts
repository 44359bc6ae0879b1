/** A data set on disk: one made by this program, or any folder of pictures. */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, systemCode, toUserError, UserError } from '../io/errors.js';
import { insideFolder, readText } from '../io/files.js';
import { entriesOf, entryKey } from './assemble.js';
import { defaultFractions, type Fractions, foldsOf, partsOfFold } from './parts.js';
import { readPictures } from './pictures.js';
import { type DatasetImage, type DatasetIndex, firstFault, indexName, indexSchema, type Parameters } from './schema.js';

/** A data set's images by class and part. */
export interface Dataset {
  dir: string;
  /** Sorted; a label's position here is its number in training. */
  classes: string[];
  /**
   * Of pictures by others, `start` and `seconds` are unknown, and a recording is what their table says, else each file. All
   * images of a recording that has several labels have its `source`, which tells that they belong together.
   */
  images: (Omit<DatasetImage, 'start' | 'seconds'> & Partial<Pick<DatasetImage, 'start' | 'seconds'>>)[];
  /** How the spectrograms were made; absent for a folder of pictures. */
  parameters?: Parameters;
  /** Of the recordings of most images, Hz; absent for a folder of pictures. */
  sampleRate?: number;
  /** What a reader of results should know. */
  notes: string[];
}

export interface ReadOptions {
  /** The fold that tests; the next validates if the split has a validation part (see partsOfFold). Default: parts as listed. */
  fold?: number | null | undefined;
  /** How a folder of pictures without a split of its own is split. Default 80 % training, 20 % test. */
  fractions?: Fractions;
  /** Of that split. Default 0. */
  seed?: number;
}

/**
 * Reads what a data set holds; no image is opened yet. Throws a UserError that names file, field and value if
 * `dataset.json` or a table is damaged or unfinished, if there are no images, or no such fold.
 */
export async function readDataset(dir: string, options: ReadOptions = {}): Promise<Dataset> {
  const names = await entriesIn(dir);
  const { fractions = defaultFractions, seed = 0, fold } = options;
  const dataset = names.includes(indexName)
    ? await readPrepared(dir)
    : { dir, ...(await readPictures(dir, names, { fractions, seed })) };
  return typeof fold === 'number' ? withFold(dataset, fold) : dataset;
}

/** The names of what lies in a data set's folder. Throws a UserError if there is none, or it is a file. */
export function entriesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: unknown) => {
    if (systemCode(error) === 'ENOTDIR') throw new UserError(`"${dir}" is a file: name the data set's folder.`);
    throw toUserError(error, dir);
  });
}

async function readPrepared(dir: string): Promise<Dataset> {
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
  const { classes, parameters } = index;
  const sampleRate = commonRate(index);
  return {
    dir,
    classes,
    images: withSources(index),
    parameters,
    ...(sampleRate && { sampleRate }),
    notes: notesOf(index),
  };
}

/** The index names the source only of an image that has another label than its recording; here, all of that recording's do. */
function withSources({ recordings, images }: DatasetIndex): DatasetImage[] {
  const named = new Set(images.flatMap(({ source }) => source ?? []));
  const sources = new Map(
    recordings.flatMap((each) => (named.has(each.source) ? [[entryKey(each), each.source] as const] : [])),
  );
  return images.map((image) => {
    const source = image.source ?? sources.get(entryKey(image));
    return source === undefined ? image : { ...image, source };
  });
}

/** The sample rate of the recordings of most images, Hz; undefined where there are none. */
export function commonRate(index: DatasetIndex): number | undefined {
  const counts = new Map<number, number>();
  for (const { recording, images } of entriesOf(index).values()) {
    counts.set(recording.sampleRate, (counts.get(recording.sampleRate) ?? 0) + images.length);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0];
}

/** What a reader of results should know, of the split and of all else. */
export const notesOf = ({ split, notes }: DatasetIndex): string[] => [...(split.notes ?? []), ...notes];

function withFold(dataset: Dataset, fold: number): Dataset {
  const { dir, images } = dataset;
  const folds = foldsOf(images);
  if (!folds.includes(fold)) {
    const known = folds.length > 0 ? `its folds are ${folds.join(', ')}` : 'it has no folds';
    throw new UserError(
      `"${dir}" has no fold ${fold}: ${known}. 'lyrebird split' with --folds divides it anew, without making images.`,
    );
  }
  const withValidation = images.some(({ split }) => split === 'validation');
  const parts = partsOfFold(images, fold, withValidation);
  return { ...dataset, images: images.map((image, i) => ({ ...image, split: parts[i]! })) };
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
