/**
 * Recordings into a data set: a folder of greyscale spectrograms, `<label>/<recording>_<start>.png`, and `dataset.json`
 * which says what they are. While the GPU works on one stretch of sound the next is being decoded.
 *
 * Running it again with the same parameters keeps the images of every recording whose content (by its SHA-256) is the
 * same and whose images are all there, and makes the rest; other parameters make everything anew. Images of an earlier
 * run that are no longer part of the set are removed; files that no run of this program listed are never touched.
 */

import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Spectrogrammer } from '../audio/windows.js';
import { ahead } from '../io/ahead.js';
import { UserError } from '../io/errors.js';
import { insideFolder, isOwnFolder } from '../io/files.js';
import { assembleIndex, type Entry, entriesOf, entryKey } from './assemble.js';
import { makeImages } from './images.js';
import type { Prefixes } from './names.js';
import { imagePrefixes } from './prefixes.js';
import { notesOf, readIndex } from './read.js';
import { findSources, type SourceOptions } from './recordings.js';
import {
  checkParameters,
  type DatasetIndex,
  defaultParameters,
  indexName,
  type Parameters,
  type SkippedEntry,
} from './schema.js';
import { annotationsOf, type LoadedSource, labelsOf, loadSource, type Recording, sourceName } from './source.js';
import { checkSplit, type SplitChoice, type SplitOptions, saveIndex } from './splitImages.js';

export { type Dataset, readDataset } from './read.js';
export { defaultParameters } from './schema.js';

/** `out` is new, empty, or an earlier data set. */
export interface PrepareOptions extends Partial<Parameters>, SplitOptions, SourceOptions {
  /** Must make images of `size` * `size` by these very parameters. */
  spectrogrammer: Spectrogrammer;
  /** Windows that the spectrogrammer gets at once. Default 16. */
  batch?: number;
  onProgress?: (progress: PrepareProgress) => void;
  /** Called for each recording, and each table or line of one, that cannot be used, as soon as that is known. */
  onLeftOut?: (entry: SkippedEntry) => void;
  /** Stops after the images in work. What is finished stays, listed in a `dataset.json` that is not complete. */
  signal?: AbortSignal;
}

export interface PrepareProgress {
  /** Recordings finished, of all. */
  done: number;
  total: number;
  /** The last one that was worked on, and how far it is, seconds; 0 when it is finished. */
  current: string;
  at: number;
  /** Images that the set has so far. */
  images: number;
  /** What was left out so far. */
  leftOut: number;
}

export interface DatasetSummary extends Pick<DatasetIndex, 'complete' | 'classes' | 'counts' | 'notes'> {
  dir: string;
  /** Recordings whose images were kept from an earlier run. */
  reused: number;
  /**
   * What could not be used: recordings that cannot be read or gave no image, tables, and lines of tables. (Windows that were
   * left out, and files of other kinds, are listed in `dataset.json`.)
   */
  leftOut: SkippedEntry[];
  /** Files of other kinds. */
  others: SkippedEntry[];
}

/**
 * Makes the data set `out`, or brings it up to date. Bad recordings are left out and listed with the reason.
 * Throws a UserError for a wrong setting (named), a folder that cannot be used, a full disk, or when no recording gave
 * an image; what was finished by then stays, as after a stop.
 */
export async function prepareDataset(options: PrepareOptions): Promise<DatasetSummary> {
  const settings = checkSettings(options);
  const { recordings, skipped, others, notes } = await findSources(options);
  const labels = [...new Set(recordings.flatMap(labelsOf))].sort();
  const { out } = options;
  const work: Work = { out, settings, labels, notes, entries: new Map(), leftOut: [], others, reused: 0 };
  await takeUp(work);
  for (const entry of skipped) leaveOut(work, entry, options);
  await save(work, false); // from here on the folder is known as a data set, whatever happens
  try {
    const finished = await prepareEach(recordings, work, options);
    if (!finished) return await save(work, false);
    const known = new Set(recordings.map(entryKey));
    await dropEntries(work, (key) => !known.has(key));
    return await save(work, true);
  } catch (error) {
    await save(work, false).catch(() => undefined); // the first error is the one to report
    throw error;
  }
}

type Settings = Pick<DatasetIndex, 'parameters'> & SplitChoice;

/** A data set while it is being made. */
interface Work {
  out: string;
  settings: Settings;
  /** Every species that there are recordings of. */
  labels: string[];
  notes: string[];
  /** What recordings gave, by `entryKey`: those of an earlier run until their turn comes, then this run's. */
  entries: Map<string, Entry>;
  /** Recordings, and tables or lines of tables, that could not be used. */
  leftOut: SkippedEntry[];
  /** Files of other kinds. */
  others: SkippedEntry[];
  reused: number;
}

function leaveOut({ leftOut }: Work, entry: SkippedEntry, { onLeftOut }: PrepareOptions): void {
  leftOut.push(entry);
  onLeftOut?.(entry);
}

/** Prepares one recording after the other; false if it was stopped. */
async function prepareEach(recordings: readonly Recording[], work: Work, options: PrepareOptions): Promise<boolean> {
  const prefixes = imagePrefixes(recordings);
  const loading = ahead(loadEach(recordings, work, prefixes), async ([, loaded]) => {
    if (loaded.kind === 'sound') await loaded.sound.close();
  });
  let images = 0;
  let done = 0;
  const report = (recording: Recording, more = 0, at = 0) =>
    options.onProgress?.({
      done,
      total: recordings.length,
      current: sourceName(recording, options.dir),
      at,
      images: images + more,
      leftOut: work.leftOut.length,
    });
  let saved = performance.now();
  for await (const [recording, loaded] of loading) {
    const isFinished = await prepareOne(recording, loaded, prefixes, work, options, (count, at) =>
      report(recording, count, at),
    );
    if (!isFinished) return false;
    done++;
    images += work.entries.get(entryKey(recording))?.images.length ?? 0;
    report(recording);
    if (performance.now() - saved > SAVE_EVERY) {
      await save(work, false);
      saved = performance.now();
    }
  }
  return true;
}

/** Milliseconds after which what was made is written down: what a program that is killed has to make again. */
const SAVE_EVERY = 30_000;

async function* loadEach(
  recordings: readonly Recording[],
  { entries, out, settings }: Work,
  prefixes: ReadonlyMap<string, Prefixes>,
) {
  const { window } = settings.parameters;
  for (const recording of recordings) {
    const key = entryKey(recording);
    const loaded = await loadSource(recording, entries.get(key), { out, window, prefixOf: prefixes.get(key)! });
    yield [recording, loaded] as const;
  }
}

/** False if it was stopped in the midst of this recording. */
async function prepareOne(
  recording: Recording,
  loaded: LoadedSource,
  prefixes: ReadonlyMap<string, Prefixes>,
  work: Work,
  options: PrepareOptions,
  onImages: (count: number, at: number) => void,
): Promise<boolean> {
  const { dir, out, spectrogrammer, batch = 16, signal } = options;
  const key = entryKey(recording);
  const about = describeRecording(recording, dir);
  if (loaded.kind === 'kept') {
    work.reused++;
    work.entries.set(key, relabel(work.entries.get(key)!, about));
  } else if (loaded.kind === 'bad') {
    leaveOut(work, { file: about.source, reason: loaded.reason }, options);
    await setEntries(work, [[key, undefined]]);
  } else {
    const { sound, fingerprint } = loaded;
    const subject = {
      sound,
      about: { ...about, fingerprint },
      annotations: annotationsOf(recording),
      prefixOf: prefixes.get(key)!,
    };
    const { parameters } = work.settings;
    const { entry, end } = await makeImages(subject, { spectrogrammer, parameters, batch, out, signal, onImages });
    if (end === 'stopped') return false;
    await setEntries(work, [[key, entry]]);
    if (end !== 'whole') {
      leaveOut(work, { file: about.source, reason: end.fault }, options);
      await setEntries(work, [[key, undefined]]);
    }
  }
  for (const unused of withoutImages(work.entries.get(key))) options.onLeftOut?.(unused);
  return !signal?.aborted;
}

/** What is known of a recording before it is read. */
function describeRecording(recording: Recording, dir: string | undefined) {
  const { label, recording: name, recordist } = recording;
  return {
    ...(label !== undefined && { label }),
    recording: name,
    source: sourceName(recording, dir),
    ...(recordist !== undefined && { recordist }),
  };
}

/** An entry of an earlier run with today's recordist and path. */
function relabel({ recording, images, skipped }: Entry, about: ReturnType<typeof describeRecording>): Entry {
  const { fingerprint, sampleRate, seconds, note } = recording;
  const { label, recordist, source } = about;
  return {
    recording: { ...about, fingerprint, sampleRate, seconds, ...(note !== undefined && { note }) },
    images: images.map(({ file, label: own, recording, recordist: _, source: __, ...image }) => ({
      file,
      label: own,
      recording,
      ...(recordist !== undefined && { recordist }),
      ...(own !== label && { source }),
      ...image,
    })),
    skipped: skipped.map((window) => ({ ...window, file: source })),
  };
}

/** Puts what recordings gave in place, or nothing, and removes images that are thereby no longer part of the set. */
async function setEntries({ entries, out }: Work, changes: Iterable<[string, Entry | undefined]>): Promise<void> {
  const replaced: Entry['images'] = [];
  for (const [key, entry] of changes) {
    replaced.push(...(entries.get(key)?.images ?? []));
    if (entry) entries.set(key, entry);
    else entries.delete(key);
  }
  if (replaced.length === 0) return;
  // Also another recording may have been given the name of a file that one of these had before.
  const wanted = new Set([...entries.values()].flatMap((entry) => entry.images.map((image) => image.file)));
  for (const { file } of replaced) if (!wanted.has(file)) await rm(insideFolder(out, file), { force: true });
}

function dropEntries(work: Work, isUnwanted: (key: string) => boolean): Promise<void> {
  return setEntries(
    work,
    [...work.entries.keys()].filter(isUnwanted).map((key) => [key, undefined]),
  );
}

async function save(
  { labels, notes: known, entries, leftOut, others, settings, out, reused }: Work,
  complete: boolean,
): Promise<DatasetSummary> {
  const index = assembleIndex(labels, entries, [...leftOut, ...others], { complete, ...settings });
  if (complete) index.notes.unshift(...known);
  if (complete && index.images.length === 0) throw new UserError(nothingLeft(index));
  await saveIndex(out, index);
  const { classes, counts } = index;
  const notes = notesOf(index);
  const unused = [...entries.values()].flatMap(withoutImages);
  return { dir: out, complete, classes, counts, notes, leftOut: [...leftOut, ...unused], others, reused };
}

/** A recording that gave no image, with what is wrong with its first window. */
function withoutImages(entry: Entry | undefined): SkippedEntry[] {
  if (!entry || entry.images.length > 0) return [];
  const { recording, skipped } = entry;
  return skipped.slice(0, 1).map(({ reason }) => ({ file: recording.source, reason }));
}

function nothingLeft({ skipped }: DatasetIndex): string {
  const first = skipped[0];
  return `No recording gave an image.${first ? ` The first problem of ${skipped.length}: "${first.file}" ${first.reason}` : ''}`;
}

/** Takes up what an earlier run left in the folder; refuses a folder that holds anything else. */
async function takeUp(work: Work): Promise<void> {
  if (!(await isOwnFolder(work.out, indexName))) return;
  const previous = await readIndex(work.out);
  work.entries = entriesOf(previous);
  if (isDeepStrictEqual(previous.parameters, work.settings.parameters)) return;
  await saveIndex(work.out, { ...previous, complete: false }); // first: a kill must not leave a finished set without images
  await dropEntries(work, () => true);
}

const parameterNames = Object.keys(defaultParameters) as (keyof Parameters)[];

function checkSettings(options: PrepareOptions): Settings {
  const given = Object.fromEntries(parameterNames.map((name) => [name, options[name] ?? defaultParameters[name]]));
  const parameters = checkParameters(given);
  const split = checkSplit(options);
  if (!((options.batch ?? 1) >= 1)) throw new UserError(`The setting "batch" (${options.batch}): must be at least 1.`);
  return { parameters, ...split };
}

/**
 * The first parameter in which the data set `out` and `options` differ, in words; undefined if they are the same, or if
 * there is no finished data set.
 */
export async function changedParameter(options: Pick<PrepareOptions, 'out'> & Parameters): Promise<string | undefined> {
  if (!(await isOwnFolder(options.out, indexName))) return undefined;
  const { parameters, complete } = await readIndex(options.out);
  const name = complete && parameterNames.find((each) => parameters[each] !== options[each]);
  return name ? `${name} ${parameters[name]} (asked for: ${options[name]})` : undefined;
}
