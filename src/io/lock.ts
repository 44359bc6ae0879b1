/** One process at a time in a folder: a file in it says who is at work there. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { constants, copyFile, link, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { systemCode, UserError } from './errors.js';
import { folderFault, makeFolder, removeLeftovers } from './files.js';

export const LOCK_NAME = '.lyrebird.lock';

const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** When the process began, in the system's own count: so a process that was given the number later is told apart. */
  began: z.string().optional(),
  /** When it took the folder: ISO 8601. */
  since: z.string(),
});

type Holder = z.infer<typeof holderSchema>;

/**
 * Runs `body` while this process alone works in `folder`, which is made if it is missing, and removed again if nothing was
 * put into it. Throws a UserError if another process is at work there. What a process left that no longer runs is taken over:
 * `onNote` is told, and files that it had not finished are removed.
 */
export async function withFolderLock<T>(
  folder: string,
  onNote: (line: string) => void,
  body: () => Promise<T>,
): Promise<T> {
  const isNew = await stat(folder).then(
    () => false,
    () => true,
  );
  const file = path.join(folder, LOCK_NAME);
  const mine = JSON.stringify(myself());
  try {
    await makeFolder(folder);
    await take(folder, file, mine, onNote);
  } catch (error) {
    throw folderFault(error, folder);
  }
  try {
    return await body();
  } finally {
    if ((await textOf(file)) === mine) await rm(file, { force: true }).catch(() => undefined);
    if (isNew) await rmdir(folder).catch(() => undefined); // refused unless it is empty
  }
}

/** The process that works in `folder`, if one does. */
export async function workerIn(folder: string): Promise<number | undefined> {
  const text = await textOf(path.join(folder, LOCK_NAME));
  const holder = text === undefined ? undefined : parse(text);
  return holder && isAlive(holder) ? holder.pid : undefined;
}

async function take(folder: string, file: string, mine: string, onNote: (line: string) => void): Promise<void> {
  while (!(await create(file, mine))) {
    const found = await textOf(file);
    if (found === undefined) continue; // given back in between
    const holder = parse(found);
    if (holder && isAlive(holder)) throw inUse(folder, file, holder);
    if (!(await discard(file, found))) continue;
    await removeLeftovers(folder);
    onNote(`process ${holder?.pid ?? '(unknown)'} ended without leaving "${folder}": its place is taken.`);
  }
}

/** Makes the file with all of its text, or not at all; false if it is there. */
async function create(file: string, text: string): Promise<boolean> {
  const temporary = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    // Where there are no hard links (exFAT), a copy does, though somebody might look while it is half written.
    await link(temporary, file).catch((error: unknown) => {
      if (systemCode(error) === 'EEXIST') throw error;
      return copyFile(temporary, file, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes the file if its text is still `text`; another process may have taken it over first, and keeps it. */
async function discard(file: string, text: string): Promise<boolean> {
  const aside = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  const isSame = (await textOf(aside)) === text;
  if (!isSame) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
  return isSame;
}

const textOf = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);

function parse(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function myself(): Holder {
  const { pid } = process;
  const began = beginningOf(pid);
  return { pid, host: hostname(), ...(began !== undefined && { began }), since: new Date().toISOString() };
}

/** Of a process on this machine, where the system tells (Linux): field 22 of /proc/PID/stat, the 20th after the name. */
function beginningOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Of other machines nothing is known, so their processes count as alive. */
function isAlive({ pid, host, began }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  return began === undefined || began === beginningOf(pid);
}

function inUse(folder: string, file: string, { pid, host, since }: Holder): UserError {
  const elsewhere = host !== hostname();
  const who = elsewhere ? `process ${pid} on ${host}` : `process ${pid}`;
  const advice = elsewhere ? ` If it no longer runs, remove "${file}".` : '';
  return new UserError(
    `"${folder}" is in use by ${who}, since ${since}. Wait until it is done, stop it, or choose another folder.${advice}`,
  );
}
