/** lyrebird report: the page of a run, whatever is left of it. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { checkClasses } from '../../src/cli/report.js';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { pictures, put, TINY } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const run = at('run');
const images = at('images');
const config = put(at('tiny.json'), TINY);
const page = (dir: string): string => readFileSync(path.join(dir, 'report.html'), 'utf8');

beforeAll(async () => {
  await pictures(images, ['blue', 'red']);
  put(path.join(images, 'red/9.png'), 'no picture');
  await lyrebird('train', images, '--out', run, '--config', config);
});

it('tells of a run on a folder of pictures, and what was left out of it', async () => {
  const { exitCode, stdout, stderr } = await lyrebird('report', run, '--dataset', images);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(/note: left out: red\/9\.png: cannot be read.*all is done, but 1 image could not be read/s);
  expect(stdout).toBe(`${path.join(run, 'report.html')}\n`);
  expect(page(run)).toContain('<title>2 classes, 6 steps</title>');
  expect(page(run)).toContain('cannot be read as an image');
  expect(existsSync(path.join(run, 'comparison.png'))).toBe(true);
});

it('of a run on classes whose names have commas is not of others that read alike', () => {
  const classes = ['Robin, European', 'Wren'];
  expect(() => checkClasses('run', { classes }, { dir: 'same', classes: [...classes] })).not.toThrow();
  const others = { dir: 'others', classes: ['Robin', ' European,Wren'] };
  expect(() => checkClasses('run', { classes }, others)).toThrow(
    /"run" was trained on the classes Robin, European, Wren/,
  );
});

it('tells of a checkpoint that was copied alone', async () => {
  const alone = at('alone');
  mkdirSync(alone);
  const checkpoint = (await latestCheckpoint(run))!;
  copyFileSync(checkpoint, path.join(alone, path.basename(checkpoint)));
  expect(await lyrebird('report', alone, '--dataset', images)).toMatchObject({ exitCode: 3 });
  expect(page(alone)).toContain('<title>2 classes, 6 steps</title>');
});

it.each([
  [
    'a run without a data set',
    () => [run],
    /"run" has no data set in it: name the one that it was trained on with --dataset/,
  ],
  ['a data set that is not there', () => [run, '--dataset', at('x')], /There is no file or folder "x"/],
  [
    'a tuning that is not there',
    () => [run, '--dataset', images, '--tuned', at('tuned.json')],
    /There is no file or folder "tuned\.json"/,
  ],
  ['a folder that is no run', () => [images], /"images" holds no checkpoints: name a run's folder/],
  ['a folder that is not there', () => [at('nowhere')], /"nowhere" holds no checkpoints/],
])('%s is refused', async (_what, args, sentence) => {
  const { exitCode, stdout, stderr } = await lyrebird('report', ...args());
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr.replaceAll(`${folder}/`, '')).toMatch(sentence);
});

it('a data set of other classes is refused', async () => {
  const other = await pictures(at('other'), ['green', 'red']);
  const { exitCode, stderr } = await lyrebird('report', run, '--dataset', other);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /was trained on the classes blue, red; ".*other" has green, red\. Name its data set with --dataset/,
  );
});

it('a damaged log is a sentence that names the line', async () => {
  const log = path.join(run, 'log.jsonl');
  const lines = readFileSync(log, 'utf8');
  put(log, lines.replace('{', '['));
  const { exitCode, stderr } = await lyrebird('report', run, '--dataset', images);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/Line 1 of ".*log\.jsonl" is no JSON object\. Mend or remove that line/);
});
