/** The recordings that a data set is to be made of. */

import path from 'node:path';
import { findRecordings, findUnlabelled, type Skipped } from '../audio/find.js';
import { UserError } from '../io/errors.js';
import { isInside, isOwnFolder } from '../io/files.js';
import { entryKey } from './assemble.js';
import { type LabelOptions, labelRecordings } from './labels/label.js';
import { readIndex } from './read.js';
import { indexName, type SkippedEntry } from './schema.js';
import { labelsOf, type Recording, sourceName } from './source.js';

export interface SourceOptions {
  /** Recordings as one folder per species, or anywhere in a folder where tables give their labels; ... */
  dir?: string;
  labels?: LabelOptions | undefined;
  /** ... or one by one, as files or samples; no two of one label may have one name. */
  recordings?: readonly Recording[];
  /** The data set's folder. */
  out: string;
}

export interface Sources {
  recordings: readonly Recording[];
  /** Recordings, and tables or lines of tables, that cannot be used. */
  skipped: SkippedEntry[];
  /** Files of other kinds. */
  others: SkippedEntry[];
  /** What a reader of results should know. */
  notes: string[];
}

/** Throws a UserError unless a data set may be at `out`: in a folder of its own, not among the recordings in `dir`. */
export async function checkPlace(out: string, dir: string): Promise<void> {
  if (isInside(out, dir)) {
    throw new UserError(`"${out}" lies in the folder of recordings, "${dir}": choose a place outside it.`);
  }
  await isOwnFolder(out, indexName);
}

/** Throws a UserError if there are no recordings, or `out` is no place for a data set of them. */
export async function findSources({ dir, labels, recordings, out }: SourceOptions): Promise<Sources> {
  if (recordings) return { recordings: checkNames(recordings), skipped: [], others: [], notes: [] };
  if (dir === undefined) throw new UserError('No recordings: name the folder that holds one folder per species.');
  await checkPlace(out, dir);
  const shown = <Entry extends Skipped>(entries: readonly Entry[]) =>
    entries.map((entry) => ({
      ...entry,
      file: isInside(entry.file, dir) ? path.relative(dir, entry.file) : entry.file,
    }));
  if (labels === undefined) {
    const { recordings: found, skipped, others, notes } = await findRecordings(dir);
    return { recordings: found, skipped: shown(skipped), others: shown(others), notes };
  }
  const found = await findUnlabelled(dir);
  const labelled = await labelRecordings(dir, found.recordings, labels);
  const tables = new Set(labelled.tables.map((table) => path.resolve(table)));
  return {
    recordings: labelled.recordings,
    skipped: shown([...found.skipped, ...labelled.skipped]),
    others: shown(found.others.filter(({ file }) => !tables.has(path.resolve(file)))),
    notes: [...found.notes, ...labelled.notes],
  };
}

function checkNames(recordings: readonly Recording[]): readonly Recording[] {
  const seen = new Set<string>();
  for (const recording of recordings) {
    if (seen.has(entryKey(recording))) {
      const labels = labelsOf(recording).join(', ');
      throw new UserError(`Two recordings of "${labels}" are called "${recording.recording}": rename one.`);
    }
    seen.add(entryKey(recording));
  }
  return recordings;
}

/**
 * The first recording in which the data set `out` and the recordings of `options` differ, in words; undefined if they are
 * the same, or if there is no finished data set. Looks at names only, and changes nothing.
 */
export async function changedRecording(options: SourceOptions): Promise<string | undefined> {
  if (!(await isOwnFolder(options.out, indexName))) return undefined;
  const index = await readIndex(options.out);
  if (!index.complete) return undefined;
  const bad = index.skipped.filter(({ start, line }) => start === undefined && line === undefined);
  const before = new Set([...index.recordings.map(({ source }) => source), ...bad.map(({ file }) => file)]);
  const { recordings } = await findSources(options);
  const now = new Set(recordings.map((recording) => sourceName(recording, options.dir)));
  const added = [...now].find((source) => !before.has(source));
  if (added !== undefined) return `"${added}" is new`;
  const gone = index.recordings.find(({ source }) => !now.has(source));
  return gone && `"${gone.source}" is gone`;
}
