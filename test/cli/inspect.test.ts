/** lyrebird inspect: what it says, what it draws, and where it refuses to draw. */
import { copyFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import type { Inspection } from '../../src/data/inspect.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, pictures, put, recordings } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
beforeAll(async () => {
  await pictures(at('pictures'), ['blue', 'red']);
  await lyrebird('prepare', recordings(at('birds'), ['robin', 'wren'], 3), '--out', at('dataset'), '--folds', '3');
});

it('describes a data set and draws its classes', async () => {
  const { exitCode, stdout } = await lyrebird('inspect', at('dataset'), '--out', at('sheets'));
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/12 images of 2 classes \(morlet, 500 to 12000 Hz, windows of 2 s\)/);
  expect(stdout).toMatch(/^class +train +test +images +recordings +recordists +sound +mean +deviation$/m);
  expect(stdout).toMatch(/^robin +4 +2 +6 +3 +0 +9 s/m);
  expect(stdout).toMatch(/folds: 1 \(4\), 2 \(4\), 3 \(4\)/);
  expect(stdout).toMatch(/sizes: 32 x 32 \(12\)\nkinds: grey, 8 bit \(12\)\nlevels: mean/);
  expect(readdirSync(at('sheets')).sort()).toEqual(['inspection.json', 'robin.png', 'wren.png']);
  const found = json<Inspection>(at('sheets'), 'inspection.json');
  expect(found.classes.map(({ label }) => label)).toEqual(['robin', 'wren']);
});

it('describes pictures, names those that cannot be read, and draws augmentation, again into the same folder', async () => {
  put(at('pictures/red/torn.png'), 'no picture');
  const run = () => lyrebird('inspect', at('pictures'), '--out', at('coloured'), '--augment', 'time-shift,gain');
  await run();
  const { exitCode, stdout } = await run();
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/9 images of 2 classes \(a folder of pictures\)/);
  expect(stdout).toMatch(/cannot be read: 1 image\n +".*torn\.png" cannot be read as an image/);
  expect(stdout).toMatch(/of one level only: 8 images/);
  expect(stdout).toMatch(/coloured: 3 sheets to look at/);
  expect(readdirSync(at('coloured')).sort()).toEqual(['augmented.png', 'blue.png', 'inspection.json', 'red.png']);
  const { width, height } = await sharp(at('coloured', 'augmented.png')).metadata();
  expect(width! * height!).toBeGreaterThan(100_000);
});

it('says once what one part gives away of another', async () => {
  const copies = recordings(at('copies'), ['robin', 'wren'], 2);
  copyFileSync(path.join(copies, 'robin/1.wav'), path.join(copies, 'robin/2.wav'));
  await lyrebird('prepare', copies, '--out', at('leaky'));
  const { stdout } = await lyrebird('inspect', at('leaky'), '--out', at('leaky-sheets'));
  expect(stdout.match(/look the same as one of another part/g)).toHaveLength(1);
});

it.each([
  [['--out', at('pictures', 'sheets')], 1, /lies in the data set/],
  [['--out', at('birds')], 1, /holds "robin" but no inspection\.json/],
  [['--augment', 'flip'], 2, /There is no "flip": give all, none, or time-shift,frequency-shift/],
  [['--fold', '1'], 1, /has no fold 1: it has no folds/],
])('refuses %j', async (options, code, sentence) => {
  const { exitCode, stderr } = await lyrebird('inspect', at('pictures'), ...options);
  expect(stderr).toMatch(sentence);
  expect(exitCode).toBe(code);
});

it('says that nothing is left to augment where nothing trains', async () => {
  const dir = await pictures(at('tested'), ['blue', 'red'], 1);
  put(path.join(dir, 'split.csv'), 'file,part\nblue/0.png,test\nred/0.png,test\n');
  const { exitCode, stderr } = await lyrebird('inspect', dir, '--out', at('nothing'), '--augment', 'gain');
  expect(stderr).toContain('There are no training images to augment');
  expect(exitCode).toBe(1);
});
