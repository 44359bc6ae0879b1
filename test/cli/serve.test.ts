/** lyrebird serve: the page of a run, until ^C. */
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { pressWhen, put } from './fixtures.js';

const folder = temporaryFolder();

it('prints where the page is, says if there is no run yet, and ends with ^C', async () => {
  const others = process.listenerCount('SIGINT');
  pressWhen(() => process.listenerCount('SIGINT') > others);
  const { exitCode, stdout, stderr } = await lyrebird('serve', path.join(folder, 'run'), '--port', '0');
  expect(exitCode).toBe(130);
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
  expect(stderr).toContain('There is no such folder yet.');
  await expect(fetch(stdout.trim())).rejects.toThrow();
});

it.each([
  ['a file', () => [put(path.join(folder, 'file'), 'x')], 1, /file" is a file: name a run's folder/],
  ['a port that there is not', () => [folder, '--port', '70000'], 2, /Give a number from 0 to 65535/],
  ['no run', () => [], 2, /missing required argument 'run'/],
])('%s is refused', async (_what, args, code, sentence) => {
  const { exitCode, stdout, stderr } = await lyrebird('serve', ...args());
  expect([exitCode, stdout]).toEqual([code, '']);
  expect(stderr).toMatch(sentence);
});
