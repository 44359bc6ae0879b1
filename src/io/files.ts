/** Reading and writing whole files so that a crash, a full disk or a strange name leaves nothing half done. */

import { randomBytes } from 'node:crypto';
import { access, constants, type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { systemCode, systemPath, toUserError, UserError } from './errors.js';

/**
 * Writes a whole file: after this, `file` holds either all of `data` or what it held before, even if the machine stops
 * in between. The data go to a temporary file in the same folder, are flushed to disk and then renamed into place.
 * Missing parent folders are made. Throws a UserError (no space, no permission, ...) that names the file.
 */
export async function writeAtomically(file: string, data: string | Uint8Array): Promise<void> {
  const parts = await writeInParts(file);
  await parts.append(data);
  await parts.finish();
}

/** Throws a UserError if `file` could not be written, for before the work whose result is to go there. Makes its folder. */
export async function checkWritable(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory()) throw new UserError(`"${file}" is a folder, but a file is needed here. Name a file.`);
  const folder = path.dirname(file);
  await makeFolder(folder)
    .then(() => access(folder, constants.W_OK))
    .catch((error: unknown) => {
      throw toUserError(error, file);
    });
}

/** A file that is written a part at a time; until it is finished its place holds what it held before. */
export interface Parts {
  append(data: string | Uint8Array): Promise<void>;
  /** Flushes what was appended to disk and puts it into its place. */
  finish(): Promise<void>;
}

/**
 * The same for what is too large to be in memory at once. After a call that failed nothing is left of the parts, and every
 * later call fails as that one did.
 */
export async function writeInParts(file: string): Promise<Parts> {
  const folder = path.dirname(file);
  // The name must stay within 255 bytes however long the file's own name is.
  const temporary = path.join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  let handle: FileHandle | undefined;
  let failure: UserError | undefined;

  async function trying<Result>(action: () => Promise<Result>): Promise<Result> {
    if (failure) throw failure;
    try {
      return await action();
    } catch (error) {
      const at = systemPath(error);
      failure = toUserError(error, at === undefined || at === temporary ? file : at);
      // The first error is the one to report.
      await handle?.close().catch(() => undefined);
      await rm(temporary, { force: true }).catch(() => undefined);
      throw failure;
    }
  }

  const opened = await trying(async () => {
    await makeFolder(folder);
    handle = await open(temporary, 'wx');
    return handle;
  });
  return {
    append: (data) => trying(() => opened.appendFile(data)),
    finish: () =>
      trying(async () => {
        await opened.sync();
        await opened.close();
        await rename(temporary, file);
        await flushFolder(folder);
      }),
  };
}

/** Removes the temporary files of writers that were killed, in a folder and below. No writer may be at work there. */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  const isTemporary = (name: string): boolean => /^\.[0-9a-f]{16}\.tmp$/.test(path.basename(name));
  for (const name of names.filter(isTemporary)) await rm(path.join(folder, name), { force: true });
}

/**
 * Whether the folder `folder` is one that an earlier run wrote, which it is if it holds the file `index`; false if it is
 * empty or not there. Throws a UserError if it is a file, cannot be read, or holds anything else, which might be overwritten.
 */
export async function isOwnFolder(folder: string, index: string): Promise<boolean> {
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (systemCode(error) === 'ENOENT') return [];
    throw folderFault(error, folder);
  });
  if (names.includes(index)) return true;
  const foreign = names.find((name) => !name.startsWith('.'));
  if (foreign === undefined) return false;
  throw new UserError(
    `"${folder}" holds "${foreign}" but no ${index}, so it was not made by this program: choose a new or empty folder, so ` +
      'that nothing of yours is overwritten.',
  );
}

/** What to say of an error of a folder that was asked for. */
export const folderFault = (error: unknown, folder: string): UserError =>
  systemCode(error) === 'ENOTDIR'
    ? new UserError(`"${folder}" is a file, or lies below one: name a folder.`, { cause: error })
    : toUserError(error, folder);

/**
 * The text of a file, without a byte order mark: UTF-8, or UTF-16 if such a mark says so, or what older spreadsheets write
 * (windows-1252) if it is neither. Throws a UserError if it cannot be read.
 */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw toUserError(error, file);
  });
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  try {
    return new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/**
 * Resolves `relative` (from a table or a data set's index, so not to be trusted) within the folder `base`.
 * Throws a UserError if it is absolute, climbs out with `..`, or holds a NUL. Does not follow symbolic links.
 */
export function insideFolder(base: string, relative: string): string {
  const root = path.resolve(base);
  const full = path.resolve(root, relative);
  if (relative.includes('\0') || path.isAbsolute(relative) || !isInside(full, root)) {
    throw new UserError(
      `The path ${JSON.stringify(relative)} leads outside the folder "${root}". Give a path inside that folder.`,
    );
  }
  return full;
}

/**
 * Makes a folder, and those above it that are missing. Node's own way (`recursive`) tries for ever where nothing can be made
 * (/proc), and calls a folder missing where the disk is read-only.
 */
export async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  for (let at = folder; at !== path.dirname(at) && !(await isThere(at)); at = path.dirname(at)) missing.unshift(at);
  for (const each of missing) {
    await mkdir(each).catch(async (error: unknown) => {
      if (!(await isThere(each))) throw error; // another writer may have been faster
    });
  }
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** Whether `inner` is the folder `outer` or lies in it. Does not follow symbolic links. */
export function isInside(inner: string, outer: string): boolean {
  const steps = path.relative(path.resolve(outer), path.resolve(inner));
  return steps !== '..' && !steps.startsWith(`..${path.sep}`) && !path.isAbsolute(steps);
}

/** Makes the rename itself durable. Not every system can flush a folder, and the file is whole without it. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
