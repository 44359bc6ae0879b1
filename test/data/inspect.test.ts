import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { type Inspection, inspectDataset } from '../../src/data/inspect.js';
import { type Dataset, readDataset } from '../../src/data/read.js';
import { temporaryFolder } from '../temporary.js';

const dir = temporaryFolder();
let found: Inspection;

beforeAll(async () => {
  for (const label of ['robin', 'wren']) mkdirSync(path.join(dir, label));
  const at = (name: string) => path.join(dir, name);
  const ramp = Uint8Array.from({ length: 10 * 20 }, (_, i) => (i % 10 < 5 ? 0 : 255));
  const half = sharp(ramp, { raw: { width: 10, height: 20, channels: 1 } }).toColourspace('b-w');
  await half.clone().png().toFile(at('robin/half.png'));
  await half.clone().png().toFile(at('wren/half.png'));
  const deep = Uint16Array.from(ramp, (level) => 257 * level).reverse();
  const other = sharp(deep, { raw: { width: 10, height: 20, channels: 1 } }).toColourspace('grey16');
  await other.png().toFile(at('wren/deep.png'));
  await sharp({ create: { width: 7, height: 7, channels: 3, background: '#333333' } }).toFile(at('wren/blank.png'));
  writeFileSync(at('robin/broken.png'), 'no picture');
  found = await inspectDataset(await readDataset(dir));
});

test('classes are counted', () => {
  expect(found.classes).toMatchObject([
    { label: 'robin', images: 2, recordings: 2, recordists: 0, seconds: 0, mean: 0.5, deviation: 0.5 },
    { label: 'wren', images: 3, recordings: 3 },
  ]);
  for (const { parts, images } of found.classes) expect(parts.train + parts.validation + parts.test).toBe(images);
});

test('sizes, kinds and levels are those of the files', () => {
  expect(found.sizes[0]).toEqual(['10 x 20', 3]);
  expect(found.kinds).toEqual([
    ['grey, 8 bit', 2],
    ['colour, 8 bit', 1],
    ['grey, 16 bit', 1],
  ]);
  expect(found.levels.mean).toBeCloseTo((0.5 + 0.5 + 0.5 + 0.2) / 4, 2);
  expect(found.levels.white).toBeCloseTo((0.5 + 0.5 + 0.5 + 0) / 4, 6);
});

test('what cannot be read, is blank, or occurs twice is listed', () => {
  expect(found.unreadable).toEqual([{ file: 'robin/broken.png', reason: expect.stringMatching(/cannot be read/) }]);
  expect(found.blank).toEqual(['wren/blank.png']);
  expect(found.duplicates).toContainEqual({
    a: 'robin/half.png',
    b: 'wren/half.png',
    correlation: expect.closeTo(1, 5),
    labels: true,
  });
});

test('sound that several windows show counts once', async () => {
  const image = (start: number, recording = 'a'): Dataset['images'][number] => {
    return { file: 'robin/half.png', label: 'robin', recording, split: 'train', start, seconds: 2 };
  };
  const images = [image(1), image(0), image(5), image(0, 'b')];
  const { classes } = await inspectDataset({ dir, classes: ['robin'], images, notes: [] });
  expect(classes[0]!.seconds).toBe(3 + 2 + 2);
});
