/** lyrebird split: data sets and folders of pictures split anew, by share, folds or table, without touching images. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DatasetIndex } from '../../src/data/schema.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, pictures, put, recordings, TINY } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const dataset = at('dataset');
const index = () => json<DatasetIndex>(dataset, 'dataset.json');

beforeAll(async () => {
  recordings(at('birds'), ['robin', 'wren'], 4);
  put(
    at('own.csv'),
    [
      'recording,part',
      ...['robin', 'wren'].flatMap((label) => [1, 2, 3, 4].map((i) => `${label}/${i},${i > 2 ? 'test' : 'train'}`)),
    ].join('\n'),
  );
  expect((await lyrebird('prepare', at('birds'), '--out', dataset, '--split', at('own.csv'))).exitCode).toBe(0);
});

const recordingsIn = (part: string): string[] => [
  ...new Set(
    index().images.flatMap(({ label, recording, split }) => (split === part ? [`${label}/${recording}`] : [])),
  ),
];

describe('a prepared data set', () => {
  it('is prepared by a table of parts', () => {
    expect(recordingsIn('test')).toEqual(['robin/3', 'robin/4', 'wren/3', 'wren/4']);
    expect(index().split.file).toBe(at('own.csv'));
  });

  it('gets folds without making images, and trains with one of them held out', async () => {
    const image = path.join(dataset, index().images[0]!.file);
    const before = statSync(image).mtimeMs;
    const { exitCode, stdout } = await lyrebird('split', dataset, '--folds', '4', '--validation', '0.25');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/16 images: 8 to train, 4 to validate, 4 to test, folds 1, 2, 3, 4 of 4, 4, 4, 4 images/);
    expect(statSync(image).mtimeMs).toBe(before);
    expect(index().counts).toMatchObject({ train: 8, validation: 4, test: 4 });

    const config = put(at('tiny.json'), { ...TINY, steps: 1 });
    const run = await lyrebird('train', dataset, '--out', at('run'), '--config', config, '--fold', '3');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(json(at('run'), 'config.json')).toMatchObject({ fold: 3 });
    const other = await lyrebird('train', dataset, '--out', at('run'), '--config', config, '--fold', '2');
    expect(other.stderr).toMatch(/holds a run with other settings: fold 3 \(asked for: 2\)/);
    const report = () => lyrebird('report', at('run'), '--dataset', dataset);
    expect((await report()).stderr).not.toMatch(/note:/);
    await lyrebird('split', dataset, '--folds', '4', '--seed', '9');
    expect((await report()).stderr).toMatch(/note: the training images of ".*dataset" are not those that/);
  });

  it('is split anew in other shares', async () => {
    await lyrebird('split', dataset, '--test', '0.5', '--seed', '7');
    expect(index().counts).toMatchObject({ train: 8, validation: 0, test: 8 });
    expect(index().images.every(({ fold }) => fold === undefined)).toBe(true);
  });

  it('is warned of when a table parts a recording', async () => {
    const rows = index().images.map(({ file }, i) => `${file},${i % 2 ? 'test' : 'train'}`);
    const { stdout } = await lyrebird(
      'split',
      dataset,
      '--split',
      put(at('windows.csv'), ['file,part', ...rows].join('\n')),
    );
    expect(stdout).toMatch(/warning: 8 of 8 recordings are in more than one part/);
    expect(stdout).toMatch(/warning: 8 pairs of windows of different parts overlap in time/);
    expect(index().split.notes).toEqual(expect.arrayContaining([expect.stringMatching(/^8 of 8 recordings/)]));
  });

  it.each([
    [['--folds', '5'], 1, /No class has recordings or recordists enough for 5 folds: ask for 4 at most/],
    [['--folds', '1'], 1, /"folds" \(1\): must be at least 2/],
    [['--test', '0.6', '--validation', '0.5'], 1, /0\.6 to test and 0\.5 to validate leave nothing to train on/],
    [['--test', '1'], 2, /Give a number from 0 to below 1/],
    [['--split', at('nowhere.csv')], 1, /There is no file or folder ".*nowhere\.csv"/],
    [['--folds', '3', '--split', at('own.csv')], 1, /is taken from ".*own\.csv": ask for no folds besides/],
  ])('is not split by %j', async (options, code, sentence) => {
    const before = readFileSync(path.join(dataset, 'dataset.json'));
    const { exitCode, stderr } = await lyrebird('split', dataset, ...options);
    expect(stderr).toMatch(sentence);
    expect(exitCode).toBe(code);
    expect(readFileSync(path.join(dataset, 'dataset.json'))).toEqual(before);
  });
});

describe('a folder of pictures', () => {
  it('gets a table, and the one that was there is kept', async () => {
    const dir = await pictures(at('pictures'), ['blue', 'red, dark'], 4);
    expect((await lyrebird('split', dir, '--folds', '2')).stdout).toMatch(/folds 1, 2 of 4, 4 images/);
    const first = readFileSync(path.join(dir, 'split.csv'), 'utf8');
    expect(first).toMatch(/^file,part,fold\nblue\/0\.png,(train|test),[12]\n/);
    expect((await lyrebird('split', dir, '--test', '0.25')).stdout).toMatch(/8 images: 6 to train, 2 to test/);
    expect(readFileSync(path.join(dir, 'split-before.csv'), 'utf8')).toBe(first);
    const second = readFileSync(path.join(dir, 'split.csv'), 'utf8');
    await lyrebird('split', dir, '--test', '0.5');
    expect(readFileSync(path.join(dir, 'split-before.csv'), 'utf8')).toBe(first);
    expect(readFileSync(path.join(dir, 'split-before-2.csv'), 'utf8')).toBe(second);
  });

  it('is told what could not be split', async () => {
    const { stdout } = await lyrebird('split', await pictures(at('few'), ['blue', 'red'], 1));
    for (const label of ['blue', 'red']) {
      expect(stdout).toContain(`note: "${label}" has a single picture: it is kept for training`);
    }
  });

  it('that is none is refused', async () => {
    expect((await lyrebird('split', at('nowhere'))).stderr).toMatch(/There is no file or folder/);
    expect((await lyrebird('split', at('birds'))).stderr).toMatch(/is no data set/);
  });
});
