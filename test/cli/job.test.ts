/** The whole way, from recordings to report: what it leaves, what it says, how it goes on. */
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { temporaryFolder } from '../temporary.js';
import { root } from './built.js';
import { lyrebird, type Ran } from './console.js';
import { json, loggedSteps, put, recordings, TINY, upTo } from './fixtures.js';

interface Index {
  complete: boolean;
  classes: string[];
  parameters: object;
  counts: { recordings: number; images: number };
  images: { file: string; label: string }[];
}

interface Manifest {
  complete: boolean;
  trainedOnSynthesisedRecordings: boolean;
  step: number;
  shown: { parameters: object; sampleRate: number };
  images: { file: string; label: string; index: number }[];
}

const folder = temporaryFolder();
const config = put(path.join(folder, 'tiny.json'), TINY);
const pngs = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.png'));

describe('a run without a folder', () => {
  const run = path.join(folder, 'run');
  let first: Ran;
  beforeAll(async () => {
    first = await lyrebird('run', '--out', run, '--config', config, '--count', '5');
  });

  it('says what it does, and that the species are invented', () => {
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stderr).toMatch(
      /recordings of invented species are synthesised.*npm start -- FOLDER.*lyrebird run FOLDER/,
    );
    expect(first.stdout).toMatch(/dataset: 180 images of 6 classes from 60 recordings \(\d+ to train, \d+ to test\)\n/);
    expect(first.stdout).toContain(`${run}: 6 steps, newest checkpoint ${run}/checkpoints/step-000006.safetensors`);
    expect(first.stdout).toContain(`${path.join(run, 'synthetic')}: 30 images of 6 classes\n`);
    expect(first.stdout).toMatch(/report\.html: the report, to look at in a browser\n$/);
  });

  it('leaves a data set', async () => {
    const index = json<Index>(run, 'dataset/dataset.json');
    expect(index).toMatchObject({ complete: true, counts: { recordings: 60, images: 180 } });
    expect(index.classes).toHaveLength(6);
    for (const label of index.classes) expect(label).toMatch(/^synthetic /);
    expect(pngs(path.join(run, 'dataset')).sort()).toEqual(index.images.map(({ file }) => file).sort());
    const { width, height, channels } = await sharp(path.join(run, 'dataset', index.images[0]!.file)).metadata();
    expect([width, height, channels]).toEqual([32, 32, 1]);
  });

  it('leaves settings, losses, checkpoints and sheets of samples', async () => {
    expect(json(run, 'config.json')).toMatchObject({ ...TINY, size: 32, seed: 1 });
    expect(loggedSteps(run)).toEqual(upTo(6));
    const steps = [2, 4, 6].map((n) => `step-00000${n}.safetensors`);
    expect(readdirSync(path.join(run, 'checkpoints'))).toEqual(['best.safetensors', ...steps]);
    expect(readdirSync(path.join(run, 'samples'))).toEqual(['real.png', 'step-000003.png', 'step-000006.png']);
    const sheet = await sharp(path.join(run, 'samples/step-000006.png')).metadata();
    expect(sheet.height).toBeGreaterThan(6 * 96);
    expect(await readCheckpoint(run)).toMatchObject({ step: 6, synthetic: true, config: TINY });
  });

  it('leaves labelled images that say that they are synthetic, and can be trained on', async () => {
    const synthetic = path.join(run, 'synthetic');
    const manifest = json<Manifest>(synthetic, 'manifest.json');
    expect(manifest).toMatchObject({ complete: true, trainedOnSynthesisedRecordings: true, step: 6 });
    const { parameters } = json<Index>(run, 'dataset/dataset.json');
    expect(parameters).toMatchObject({ transform: 'morlet', size: 32 });
    expect(manifest.shown).toEqual({ parameters, sampleRate: 24000 });
    expect(pngs(synthetic).sort()).toEqual(manifest.images.map(({ file }) => file).sort());
    const { width, height, channels } = await sharp(path.join(synthetic, manifest.images[7]!.file)).metadata();
    expect([width, height, channels]).toEqual([32, 32, 1]);
    const again = path.join(folder, 'again');
    expect(await lyrebird('train', synthetic, '--out', again, '--config', config)).toMatchObject({ exitCode: 0 });
    expect((await readCheckpoint(again)).classes).toEqual(json<Index>(run, 'dataset/dataset.json').classes);
  });

  it('leaves a page to look at that needs no network', async () => {
    const html = readFileSync(path.join(run, 'report.html'), 'utf8');
    expect(html).toMatch(/<title>6 synthetic species, 6 steps<\/title>/);
    expect(html).toContain('These recordings are artificial');
    expect(html).not.toMatch(/(src|href)="(?!data:|#)/);
    expect((await sharp(path.join(run, 'comparison.png')).metadata()).width).toBeGreaterThan(8 * 96);
  });

  it('given again does nothing twice, and makes more if more is asked for', async () => {
    const index = statSync(path.join(run, 'dataset/dataset.json')).size;
    const again = await lyrebird('run', '--out', run, '--config', config, '--steps', '7', '--count', '2');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stderr).toMatch(/going on from .*step-000006\.safetensors/);
    expect(loggedSteps(run)).toEqual(upTo(7));
    expect(statSync(path.join(run, 'dataset/dataset.json')).size).toBe(index);
    // Images of the earlier, larger set are gone.
    expect(pngs(path.join(run, 'synthetic'))).toHaveLength(12);
    expect(json<Manifest>(run, 'synthetic/manifest.json')).toMatchObject({ complete: true, step: 7 });
  });
});

describe('a run into the folder of another', () => {
  const dir = recordings(path.join(folder, 'birds'), ['wren', 'robin']);
  const run = path.join(folder, 'taken');
  const go = (...options: string[]) =>
    lyrebird('run', dir, '--out', run, '--config', config, '--count', '1', ...options);
  let before: string;
  beforeAll(async () => {
    expect(await go()).toMatchObject({ exitCode: 0 });
    before = readFileSync(path.join(run, 'dataset/dataset.json'), 'utf8');
  });

  it.each([
    [
      'another seed',
      ['--seed', '5'],
      /holds a run with other settings: seed 1 \(asked for: 5\)\. Choose another --out/,
    ],
    ['another batch', ['--batch', '3'], /settings: batch 4 \(asked for: 3\)/],
    ['another rate', ['--learning-rate', '0.5'], /settings: learningRateG 0\.\d+ \(asked for: 0\.5\), learningRateD/],
  ])('with %s says so, and leaves all as it was', async (_what, options, sentence) => {
    const { exitCode, stderr, stdout } = await go(...options);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(readFileSync(path.join(run, 'dataset/dataset.json'), 'utf8')).toBe(before);
  });

  it.each([
    ['none', () => [], /on other recordings: "synthesised synthetic/],
    [
      'others',
      () => [recordings(path.join(folder, 'more'), ['wren', 'robin', 'junco'])],
      /"junco\/1\.wav" is new\. Choose another --out \(such as --out more-run\)/,
    ],
    ['fewer', () => [recordings(path.join(folder, 'fewer'), ['wren', 'robin'], 2)], /"robin\/3\.wav" is gone/],
  ])('with other recordings (%s) says so, and leaves all as it was', async (_what, given, sentence) => {
    const { exitCode, stderr } = await lyrebird('run', ...given(), '--out', run, '--config', config);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(readFileSync(path.join(run, 'dataset/dataset.json'), 'utf8')).toBe(before);
  });

  it('with recordings of the same names but another sound says so', async () => {
    const other = recordings(path.join(folder, 'renamed'), ['robin', 'wren']);
    const copy = path.join(folder, 'other-run');
    cpSync(run, copy, { recursive: true });
    const { exitCode, stderr } = await lyrebird('run', other, '--out', copy, '--config', config);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/was trained on other images than those which .* holds now\. Choose another --out/);
  });

  it('with fewer steps than it has made leaves them, and makes the rest', async () => {
    const { exitCode, stdout } = await go('--steps', '3');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('6 steps (3 were asked for; it had made more before)');
    expect(loggedSteps(run)).toEqual(upTo(6));
    expect(json(run, 'config.json')).toMatchObject({ steps: 6 });
  });
});

const birds = path.join(root, '../shared/data/birds');
if (!existsSync(birds)) console.log(`skipped: there are no recordings in ${birds}`);

it.skipIf(!existsSync(birds))('real recordings go the whole way', async () => {
  const dir = path.join(folder, 'real');
  for (const species of readdirSync(birds, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .slice(0, 2)) {
    for (const name of readdirSync(path.join(birds, species.name)).slice(0, 3)) {
      put(path.join(dir, species.name, name), readFileSync(path.join(birds, species.name, name)));
    }
  }
  const run = path.join(folder, 'real-run');
  const { exitCode, stdout } = await lyrebird(
    'run',
    dir,
    '--out',
    run,
    '--config',
    config,
    '--steps',
    '3',
    '--count',
    '2',
  );
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/images of 2 classes from 6 recordings/);
  expect(await latestCheckpoint(run)).toMatch(/step-000003/);
  expect(readFileSync(path.join(run, 'report.html'), 'utf8')).toContain('<title>2 species, 3 steps</title>');
});
