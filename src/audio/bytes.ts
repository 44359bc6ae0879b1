/** Files read piece by piece: a recording of hours is larger than what may lie in memory. */

import { type FileHandle, open, stat } from 'node:fs/promises';
import { toUserError, UserError } from '../io/errors.js';

/** Bytes of which any part can be read. */
export interface Bytes {
  readonly size: number;
  /** The bytes from `at`; fewer than `length`, or none, at the end. */
  read(at: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

export interface OpenFile extends Bytes {
  close(): Promise<void>;
}

/** Opens a file for reading. Throws a UserError that names it if that cannot be done, or if it is no file. */
export async function openFile(path: string): Promise<OpenFile> {
  try {
    const status = await stat(path); // before opening, which waits for ever on a pipe
    if (!status.isFile()) throw new UserError(`"${path}" is not a file: name a recording.`);
    const handle = await open(path, 'r');
    return {
      size: status.size,
      read: (at, length) => readAt(handle, at, Math.max(0, Math.min(length, status.size - at)), path),
      close: () => handle.close(),
    };
  } catch (error) {
    throw toUserError(error, path);
  }
}

async function readAt(file: FileHandle, at: number, length: number, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  try {
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, at + filled);
      if (bytesRead === 0) break; // it has become shorter since
      filled += bytesRead;
    }
  } catch (error) {
    throw toUserError(error, path);
  }
  return bytes.subarray(0, filled);
}

/** `part` of some bytes in blocks, in order: from `start`, to `end` or as far as there are any. */
export async function* blocksOf(
  bytes: Bytes,
  { start, end = Number.POSITIVE_INFINITY, block }: { start: number; end?: number; block: number },
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (let at = start; at < end; ) {
    const part = await bytes.read(at, Math.min(block, end - at));
    if (part.length === 0) return;
    at += part.length; // now: whoever gets it may hand it over to a thread, which empties it here
    yield part;
  }
}
