/** The index of a data set from what each recording gave: split, counts, and notes for whoever reads its results. */

import { usableLimit } from '../audio/canvas.js';
import { noiseLabel } from '../audio/places.js';
import {
  type DatasetImage,
  type DatasetIndex,
  type DatasetRecording,
  datasetFormat,
  type SkippedEntry,
} from './schema.js';
import { countParts, type SplitChoice, splitImages } from './splitImages.js';

/** What one recording gave. */
export interface Entry {
  recording: DatasetRecording;
  /** In order of time; which part they are in is decided when all recordings are known. */
  images: Omit<DatasetImage, 'split' | 'fold'>[];
  /** Its windows and annotations that were left out. */
  skipped: SkippedEntry[];
}

/** Tells recordings apart: their names are unique within a label, and among those whose labels are annotated. */
export function entryKey({ label = '', recording }: { label?: string | undefined; recording: string }): string {
  return `${label}\0${recording}`;
}

/** The index's images and left-out windows, recording by recording. */
export function entriesOf(index: DatasetIndex): Map<string, Entry> {
  const bySource = new Map<string, Entry>();
  const byKey = new Map<string, Entry>();
  for (const recording of index.recordings) {
    const entry: Entry = { recording, images: [], skipped: [] };
    bySource.set(recording.source, entry);
    byKey.set(entryKey(recording), entry);
  }
  for (const { split: _, fold: __, ...image } of index.images) {
    const entry = image.source === undefined ? byKey.get(entryKey(image)) : bySource.get(image.source);
    entry?.images.push(image);
  }
  for (const skipped of index.skipped) {
    if (skipped.start !== undefined) bySource.get(skipped.file)?.skipped.push(skipped);
  }
  return byKey;
}

/** Splits the recordings that gave images, and says which of the `labels` there are none of. */
export function assembleIndex(
  labels: readonly string[],
  entriesByKey: ReadonlyMap<string, Entry>,
  skippedFiles: readonly SkippedEntry[],
  { complete, parameters, split, table }: Pick<DatasetIndex, 'complete' | 'parameters'> & SplitChoice,
): DatasetIndex {
  // In an order that does not depend on what an earlier run had done already.
  const entries = [...entriesByKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  const used = entries.filter((entry) => entry.images.length > 0);
  const made = used.flatMap((entry) => entry.images.map((image) => ({ image, origin: entry.recording })));
  // Of recordings that nobody has looked at yet, nothing is known: neither whether there are enough, nor what a table says.
  const { images, notes } = splitImages(made, complete ? { split, table } : { split: { ...split, folds: undefined } });
  const classes = [...new Set(images.map((image) => image.label))].sort();
  const skippedWindows = entries.flatMap((entry) => entry.skipped);
  const skippedLines = skippedFiles.filter(({ line }) => line !== undefined).length;
  return {
    format: datasetFormat,
    complete,
    parameters,
    split: { ...split, ...(complete && { notes }) },
    classes,
    counts: {
      recordings: used.length,
      images: images.length,
      ...countParts(images),
      skippedFiles: skippedFiles.length - skippedLines,
      skippedWindows: skippedWindows.length,
      skippedLines,
    },
    notes: complete
      ? [
          ...soleClass(classes),
          ...droppedClasses(labels, classes),
          ...missingNoise(parameters, classes),
          ...emptyRows(used, parameters.fmax),
          ...damaged(used),
        ]
      : [],
    recordings: entries.map((entry) => entry.recording),
    images,
    skipped: [...skippedFiles, ...skippedWindows],
  };
}

function soleClass(classes: readonly string[]): string[] {
  if (classes.length !== 1) return [];
  return [
    `There is one species only, "${classes[0]}": its songs can be learnt, but there is nothing to tell them from.`,
  ];
}

function droppedClasses(labels: readonly string[], classes: readonly string[]): string[] {
  const dropped = labels.filter((label) => !classes.includes(label));
  return dropped.map((label) => `"${label}" is left out: none of its recordings could be used.`);
}

function missingNoise({ noiseWindows, window }: DatasetIndex['parameters'], classes: readonly string[]): string[] {
  if (noiseWindows === 0 || classes.includes(noiseLabel)) return [];
  return [`There is no class "${noiseLabel}": between what sounds, no ${window} s are left that are not silent.`];
}

function emptyRows(entries: readonly Entry[], fmax: number): string[] {
  const all = entries.map((entry) => entry.recording.sampleRate);
  // A black row or two at the top of every image tells nobody anything; where only some images have it, it does.
  const isUneven = new Set(all.map((rate) => Math.min(usableLimit(rate), fmax))).size > 1;
  const rates = all.filter((rate) => (isUneven ? usableLimit(rate) : rate / 2) < fmax);
  if (rates.length === 0) return [];
  const lowest = Math.min(...rates);
  return [
    `${rates.length} of ${entries.length} recordings have sample rates (${lowest} Hz the lowest) that hold nothing of use ` +
      `up to ${fmax} Hz: their top rows are black, which a classifier may learn instead of the song. A fmax of ` +
      `${Math.floor(usableLimit(lowest))} Hz avoids this.`,
  ];
}

function damaged(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ recording: { source, note } }) => (note === undefined ? [] : [`"${source}" ${note}`]));
}
