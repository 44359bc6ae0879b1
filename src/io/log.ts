/**
 * A run's log: a JSON object a line, only ever appended. A stopped run leaves at most half a line at the end, which
 * reading passes over and reopening removes.
 */

import { existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { appendTo, naming } from './append.js';
import { UserError } from './errors.js';

/** Numbers that JSON lacks are written as the texts `NaN`, `Infinity` and `-Infinity`. */
export interface LogRecord {
  step?: number;
  [field: string]: unknown;
}

export interface Log {
  /** Appends one line, at once. Throws a UserError (disk full, ...) and then leaves the log without half a line. */
  write(record: LogRecord): void;
  /** Flushes to disk and closes. */
  close(): void;
}

/**
 * Opens a log for appending, with its folders where they are missing. `resumeAtStep` drops the first record with a
 * later step and all that follow it, so that a run resumed from a checkpoint of that step writes no step twice.
 */
export function openLog(file: string, { resumeAtStep = Number.POSITIVE_INFINITY } = {}): Log {
  const { descriptor, length } = naming(file, () => reopen(file, resumeAtStep));
  const { append, close } = appendTo(file, descriptor, length);
  return { write: (record) => append(Buffer.from(`${JSON.stringify(record, withNonFinite)}\n`)), close };
}

/** Opens the file with only the whole records up to a step in it. */
function reopen(file: string, resumeAtStep: number): { descriptor: number; length: number } {
  mkdirSync(path.dirname(file), { recursive: true });
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const lines = scan(file, bytes);
  const dropped = lines.findIndex(({ record }) => record.step !== undefined && record.step > resumeAtStep);
  const kept = dropped < 0 ? lines : lines.slice(0, dropped);
  const length = kept.at(-1)?.end ?? 0;
  const descriptor = openSync(file, 'a');
  ftruncateSync(descriptor, length);
  const isEnded = length === 0 || bytes[length - 1] === newline;
  return { descriptor, length: isEnded ? length : length + writeSync(descriptor, '\n') };
}

/** All whole records. Throws a UserError that names the line if one before the end is damaged. */
export function readLog(file: string): LogRecord[] {
  return naming(file, () => scan(file, readFileSync(file)).map(({ record }) => record));
}

const newline = 0x0a;

interface Line {
  record: LogRecord;
  /** The byte after the line and its line break. */
  end: number;
}

/** The records of a log. Only its last line may be damaged, and is then left out. */
function scan(file: string, bytes: Buffer): Line[] {
  const lines: Line[] = [];
  let damaged: number | undefined;
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found + 1;
    const text = bytes.toString('utf8', start, end);
    start = end;
    if (text.trim() === '') continue;
    if (damaged !== undefined) {
      throw new UserError(`Line ${damaged} of "${file}" is no JSON object. Mend or remove that line.`);
    }
    const record = parseRecord(text);
    if (record) lines.push({ record, end });
    else damaged = number;
  }
  return lines;
}

function parseRecord(text: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is LogRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !('step' in value) || typeof value.step === 'number';
}

function withNonFinite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
