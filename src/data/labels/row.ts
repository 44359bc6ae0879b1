/** What lines of tables of labels say. */

import type { Annotation } from '../../audio/annotations.js';

/** What one line says. */
export interface LabelRow extends Partial<Omit<Annotation, 'label'>> {
  /** From 1. */
  line: number;
  /** The recording, as the table names it; absent where the table itself is called after its only one. */
  file?: string;
  /** Absent where the table has no labels: it is then that of the recording's folder. */
  label?: string;
  recordist?: string;
}

/** A line that cannot be used, and why, in words that follow its number. */
export interface BadRow {
  line: number;
  reason: string;
}

/** A table of labels. Rows without `start` and `end` are about the whole of their recording. */
export interface LabelTable {
  file: string;
  rows: LabelRow[];
  bad: BadRow[];
}

/** A number as people and programs of any country write it; undefined if there is none, NaN if it is none. */
export function numberIn(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const plain = text.trim().replace(/^([-+]?\d+),(\d+)$/, '$1.$2');
  const value = Number(plain);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** What is wrong with the times, the band and the confidence of a row. */
export function rowFault({ start, end, low, high, confidence }: LabelRow): string | undefined {
  for (const [name, value] of Object.entries({ start, end, low, high, confidence })) {
    if (Number.isNaN(value)) return `its ${name} is not a number.`;
  }
  if ((start === undefined) !== (end === undefined)) {
    return `it has ${start === undefined ? 'an end, but no start' : 'a start, but no end'}.`;
  }
  if (start !== undefined && start < 0) return `it starts before the recording (${start} s).`;
  if (start !== undefined && end! < start) return `it ends (${end} s) before it starts (${start} s).`;
  if (low !== undefined && high !== undefined && low > high) return `its band is upside down (${low} to ${high} Hz).`;
  if (confidence !== undefined && !(confidence >= 0 && confidence <= 1)) {
    return `its confidence (${confidence}) is not between 0 and 1.`;
  }
  return undefined;
}
