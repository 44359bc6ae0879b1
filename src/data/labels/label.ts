/** Recordings with the labels that tables give them. */

import path from 'node:path';
import type { Annotation } from '../../audio/annotations.js';
import type { RecordingFile } from '../../audio/find.js';
import { UserError } from '../../io/errors.js';
import { groupBy } from '../../io/groupBy.js';
import type { SkippedEntry } from '../schema.js';
import { createMatcher } from './match.js';
import type { ReadLabelOptions } from './read.js';
import type { LabelRow, LabelTable } from './row.js';
import { readLabelTables } from './tables.js';

export interface LabelOptions extends ReadLabelOptions {
  /** A table, or a folder of tables: one for each recording, or for several. */
  path: string;
  /** Rows that have a confidence below this are not used. Default 0.5. */
  minConfidence?: number | undefined;
}

export interface Labelled {
  /** Those that a table says something of. */
  recordings: RecordingFile[];
  /** Tables, and lines of tables, that cannot be used. */
  skipped: SkippedEntry[];
  /** The tables that were read. */
  tables: string[];
  notes: string[];
}

export const defaultMinConfidence = 0.5;

/**
 * Gives each of the recordings, which lie in `dir`, what tables say of it: annotations, or one label. Rows without a label have
 * the recording's own, that of its folder. Throws a UserError if the tables label none of them.
 */
export async function labelRecordings(
  dir: string,
  recordings: readonly RecordingFile[],
  { path: place, minConfidence = defaultMinConfidence, ...options }: LabelOptions,
): Promise<Labelled> {
  const { tables, skipped } = await readLabelTables(place, options);
  const { rows, unsure, lost } = gatherRows(dir, recordings, tables, minConfidence);
  skipped.push(...lost);
  const labelled = recordings.flatMap((recording) => withLabels(recording, rows.get(recording.path) ?? [], skipped));
  if (labelled.length === 0) {
    const [first] = skipped;
    const problem = first && ` The first problem of ${skipped.length}: ${describeSkipped(first)}`;
    throw new UserError(`"${place}" labels none of the recordings in "${dir}".${problem ?? ''}`);
  }
  const notes: string[] = [];
  if (unsure > 0) notes.push(`${unsure} annotations have a confidence below ${minConfidence} and are not used.`);
  const others = recordings.length - labelled.length;
  if (others > 0) notes.push(`${others} of ${recordings.length} recordings have no label and are not used.`);
  return { recordings: labelled, skipped, tables: tables.map(({ file }) => file), notes };
}

/** `"labels.csv", line 3: its start is not a number.` */
export const describeSkipped = ({ file, line, reason }: SkippedEntry): string =>
  `"${file}"${line === undefined ? '' : `, line ${line}:`} ${reason}`;

interface PlacedRow extends LabelRow {
  /** The table that it stands in. */
  table: string;
}

interface Gathered {
  /** What is said of each recording, by its path. */
  rows: Map<string, PlacedRow[]>;
  /** How many rows are not sure enough. */
  unsure: number;
  /** Rows that cannot be used, or belong to no recording. */
  lost: SkippedEntry[];
}

function gatherRows(
  dir: string,
  recordings: readonly RecordingFile[],
  tables: readonly LabelTable[],
  minConfidence: number,
): Gathered {
  const names = recordings.map((recording) => path.relative(dir, recording.path));
  const matcher = createMatcher(names);
  const isSole = names.length === 1 && tables.length === 1; // a table about one recording need not be called after it
  const gathered: Gathered = { rows: new Map(), unsure: 0, lost: [] };
  for (const { file: table, rows, bad } of tables) {
    gathered.lost.push(...bad.map((row) => ({ file: table, ...row })));
    for (const [name, named] of groupBy(rows, (row) => row.file)) {
      const match = name !== undefined ? matcher.byName(name) : isSole ? { path: names[0]! } : matcher.byTable(table);
      if ('fault' in match) {
        gathered.lost.push(lostEntry(table, name, named, match.fault));
        continue;
      }
      const sure = named.filter(({ confidence = 1 }) => confidence >= minConfidence);
      gathered.unsure += named.length - sure.length;
      const recording = path.join(dir, match.path);
      const placed = sure.map((row) => ({ ...row, table }));
      gathered.rows.set(recording, [...(gathered.rows.get(recording) ?? []), ...placed]);
    }
  }
  return gathered;
}

/** One entry for all rows of a table that have the same fault: they name something that is no recording. */
function lostEntry(table: string, name: string | undefined, rows: readonly LabelRow[], fault: string): SkippedEntry {
  if (name === undefined) return { file: table, reason: fault };
  const others = rows.length === 1 ? '' : ` (and in ${rows.length - 1} more lines)`;
  return { file: table, line: rows[0]!.line, reason: `"${name}"${others} ${fault}` };
}

/** The recording with its annotations, or with the label of all of it; none if nothing is said of it. */
function withLabels(recording: RecordingFile, rows: readonly PlacedRow[], skipped: SkippedEntry[]): RecordingFile[] {
  const { label: own, ...rest } = recording;
  const recordist = rest.recordist ?? rows.find((row) => row.recordist !== undefined)?.recordist;
  const about = { ...rest, ...(recordist !== undefined && { recordist }) };
  const whole: { table: string; line: number; label: string }[] = [];
  const annotations = new Map<string, Annotation>(); // by what they say: two tables may say the same
  for (const { table, line, file: _, recordist: __, label = own, start, end, ...others } of rows) {
    if (label === undefined) {
      skipped.push({ file: table, line, reason: 'it has no label, and the recording lies in no folder of one.' });
    } else if (start === undefined || end === undefined) whole.push({ table, line, label });
    else annotations.set(JSON.stringify([start, end, label]), { start, end, label, ...others });
  }
  if (annotations.size > 0) {
    for (const { table, line, label } of whole) {
      const reason = `it labels all of the recording "${label}", but others label parts of it: give it a start and an end.`;
      skipped.push({ file: table, line, reason });
    }
    return [{ ...about, annotations: [...annotations.values()].sort((a, b) => a.start - b.start || a.end - b.end) }];
  }
  const [label, second] = new Set(whole.map((row) => row.label));
  if (label === undefined) return [];
  if (second === undefined) return [{ ...about, label }];
  const reason = `is labelled "${label}" and "${second}" as a whole: say from when to when each sounds.`;
  skipped.push({ file: recording.path, reason });
  return [];
}
