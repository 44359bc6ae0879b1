/** The parts of a data set's images: decided when it is prepared, or anew afterwards, when no image has to be made again. */

import path from 'node:path';
import { UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { defaultFractions, type Fold, type Part } from './parts.js';
import { type DatasetImage, type DatasetIndex, firstFault, indexName, splitSchema } from './schema.js';
import { type Split, splitRecordings } from './split.js';
import { importSplit, type SplitTable } from './splitTable.js';

/** How to split, and into which parts if a table says so. */
export interface SplitChoice {
  split: DatasetIndex['split'];
  table?: SplitTable | undefined;
}

export interface SplitOptions {
  fractions?: DatasetIndex['split']['fractions'] | undefined;
  seed?: number | undefined;
  /** See SplitSettings. */
  folds?: number | undefined;
  /** A split to be used instead. */
  splitTable?: SplitTable | undefined;
}

/** Throws a UserError that names a wrong setting. */
export function checkSplit({ fractions = defaultFractions, seed = 0, folds, splitTable }: SplitOptions): SplitChoice {
  if (splitTable && folds !== undefined) {
    throw new UserError(`The split is taken from "${splitTable.file}": ask for no folds besides.`);
  }
  const given = {
    fractions,
    seed,
    ...(folds !== undefined && { folds }),
    ...(splitTable && { file: splitTable.file }),
  };
  const split = splitSchema.safeParse(given);
  if (!split.success) throw new UserError(`The split's ${firstFault(split.error, given)}.`);
  return { split: split.data, table: splitTable };
}

type Unsplit = Omit<DatasetImage, 'split' | 'fold'>;

/** What images came from. */
export interface Origin {
  /** Of all of it; absent where annotations give labels. */
  label?: string | undefined;
  recording: string;
  source: string;
}

/** Images with their parts, in order, and what a reader of results should know of the split. */
export function splitImages<Image extends Unsplit>(
  images: readonly { image: Image; origin: Origin }[],
  { split, table }: SplitChoice,
): { images: (Image & { split: Part; fold?: number })[]; notes: string[] } {
  const named = images.map(({ image, origin: { label, recording, source } }) => ({
    ...image,
    // Recordings of two labels may have one name.
    recording: label === undefined || image.label === label ? recording : `${label}/${recording}`,
    source,
  }));
  const { parts, folds, notes } = table
    ? importSplit(named, table, split.fractions.validation > 0)
    : splitBySource(named, split);
  const withParts = images.map(({ image }, i) => ({ ...image, ...placeOf(parts[i]!, folds[i]) }));
  return { images: withParts, notes };
}

/** A part and a fold as fields of an image. */
const placeOf = (split: Part, fold: Fold) => ({ split, ...(fold !== undefined && { fold }) });

/** Splits recordings; one that gave images of several classes counts in each. */
function splitBySource(
  images: readonly (Unsplit & { source: string })[],
  settings: DatasetIndex['split'],
): Pick<Split, 'parts' | 'folds' | 'notes'> {
  const keyOf = ({ label, source }: { label: string; source: string }) => JSON.stringify([label, source]);
  const items = [...new Map(images.map((image) => [keyOf(image), image])).values()];
  const { parts, folds, notes } = splitRecordings(items, settings);
  const numbers = new Map(items.map((item, i) => [keyOf(item), i]));
  const itemOf = images.map((image) => numbers.get(keyOf(image))!);
  return { parts: itemOf.map((i) => parts[i]!), folds: itemOf.map((i) => folds[i]), notes };
}

/** Numbers of images. */
export function countParts(images: readonly { split: Part }[]): Record<Part, number> {
  const inPart = (part: Part) => images.filter(({ split }) => split === part).length;
  return { train: inPart('train'), validation: inPart('validation'), test: inPart('test') };
}

const nameOf = ({ label, recording }: Pick<Origin, 'label' | 'recording'>) => `${label ?? ''}/${recording}`;

/** Splits a prepared data set anew and saves that. Nothing but `dataset.json` is touched. */
export async function resplit(dir: string, index: DatasetIndex, choice: SplitChoice): Promise<DatasetIndex> {
  const byName = new Map(index.recordings.map((origin) => [nameOf(origin), origin]));
  const bySource = new Map(index.recordings.map((origin) => [origin.source, origin]));
  const from = index.images.map(({ split: _, fold: __, ...image }) => {
    const origin = image.source === undefined ? byName.get(nameOf(image)) : bySource.get(image.source);
    return { image, origin: origin ?? { ...image, source: image.source ?? nameOf(image) } };
  });
  const { images, notes } = splitImages(from, choice);
  const counts = { ...index.counts, ...countParts(images) };
  const changed = { ...index, split: { ...choice.split, notes }, counts, images };
  await saveIndex(dir, changed);
  return changed;
}

/** Adds what else a reader of results should know of the split. */
export function addSplitNotes(dir: string, index: DatasetIndex, notes: readonly string[]): Promise<void> {
  const { split } = index;
  return saveIndex(dir, { ...index, split: { ...split, notes: [...(split.notes ?? []), ...notes] } });
}

export const saveIndex = (dir: string, index: DatasetIndex): Promise<void> =>
  writeAtomically(path.join(dir, indexName), `${JSON.stringify(index, undefined, 1)}\n`);
