/** One process at a time in a folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LOCK_NAME, withFolderLock } from '../../src/io/lock.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
let notes: string[] = [];
const lock = <T>(dir: string, body: () => Promise<T>): Promise<T> => {
  notes = [];
  return withFolderLock(dir, (line) => notes.push(line), body);
};
const put = (dir: string, holder: object | string): void => {
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, LOCK_NAME), typeof holder === 'string' ? holder : JSON.stringify(holder));
};
const now = new Date().toISOString();

it('lets one in, refuses the next by name, and is given back', async () => {
  const dir = path.join(folder, 'a');
  await lock(dir, async () => {
    await expect(lock(dir, async () => 1)).rejects.toThrow(
      new RegExp(`"${dir}" is in use by process ${process.pid}, since .* Wait until it is done`),
    );
    expect(readdirSync(dir)).toEqual([LOCK_NAME]);
    writeFileSync(path.join(dir, 'result'), '');
  });
  expect(readdirSync(dir)).toEqual(['result']);
  expect(await lock(dir, async () => 2)).toBe(2);
});

it('is given back after a failure, without the folder that was made for nothing', async () => {
  const dir = path.join(folder, 'b');
  await expect(lock(dir, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(dir)).toBe(false);
});

it('of a dead process is taken over and said, and its unfinished files are removed', async () => {
  const dir = path.join(folder, 'c');
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  put(dir, { pid: child.pid!, host: hostname(), since: now });
  const leftover = path.join(dir, 'checkpoints', '.0123456789abcdef.tmp');
  mkdirSync(path.dirname(leftover));
  for (const file of [leftover, path.join(dir, 'mine.tmp')]) writeFileSync(file, 'half');
  await lock(dir, async () => expect(readFileSync(path.join(dir, LOCK_NAME), 'utf8')).toContain(`${process.pid}`));
  expect(notes).toEqual([`process ${child.pid} ended without leaving "${dir}": its place is taken.`]);
  expect(readdirSync(dir, { recursive: true }).sort()).toEqual(['checkpoints', 'mine.tmp']);
});

it('of a process whose number was given to another, or that is damaged, is taken over', async () => {
  const dir = path.join(folder, 'd');
  // Where the system does not tell when processes began, the first counts as alive.
  if (existsSync('/proc/self/stat')) {
    put(dir, { pid: process.pid, host: hostname(), began: '1', since: now });
    await lock(dir, async () => expect(notes).toHaveLength(1));
  }
  put(dir, '{"pid":');
  await lock(dir, async () => expect(notes).toHaveLength(1));
});

it('of another machine stands, with words on what to do', async () => {
  const dir = path.join(folder, 'e');
  put(dir, { pid: 1, host: 'elsewhere', since: now });
  await expect(lock(dir, async () => 1)).rejects.toThrow(
    /process 1 on elsewhere, .*If it no longer runs, remove ".*lock"/,
  );
});

it('goes to one alone of many who find that of a dead process', async () => {
  const dir = path.join(folder, 'f');
  put(dir, { pid: 2 ** 22 + 1, host: hostname(), since: now });
  let inside = 0;
  const enter = async (): Promise<void> => {
    expect(++inside).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside--;
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, () => withFolderLock(dir, () => undefined, enter)),
  );
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
  expect(refused.length).toBeLessThan(8);
  for (const reason of refused) expect(reason).toMatch(/is in use by process/);
});
