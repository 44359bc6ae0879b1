/** Files that are only ever appended to, a whole record at a time. */

import { closeSync, fsyncSync, ftruncateSync, writeSync } from 'node:fs';
import { systemCode, toUserError } from './errors.js';

export interface Appender {
  /** Appends at once. Throws a UserError (disk full, ...) and then leaves the file without half a record. */
  append(record: Uint8Array): void;
  /** Flushes to disk and closes. */
  close(): void;
}

/** `descriptor` was opened for appending to `file`, which is `length` bytes long. */
export function appendTo(file: string, descriptor: number, length: number): Appender {
  let end = length;

  function append(record: Uint8Array): void {
    try {
      for (let written = 0; written < record.length; ) written += writeSync(descriptor, record, written);
      end += record.length;
    } catch (error) {
      ftruncateSync(descriptor, end);
      throw error;
    }
  }

  return {
    append: (record) => naming(file, () => append(record)),
    close: () =>
      naming(file, () => {
        fsyncSync(descriptor);
        closeSync(descriptor);
      }),
  };
}

/** What `action` returns; an error of the system becomes a UserError that names the file. */
export function naming<Result>(file: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw systemCode(error) === undefined ? error : toUserError(error, file);
  }
}
