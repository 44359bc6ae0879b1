import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { loadSplit } from '../../src/data/loader.js';
import { readDataset } from '../../src/data/read.js';
import { UserError } from '../../src/io/errors.js';
import { temporaryFolder } from '../temporary.js';

async function messageFor(action: Promise<unknown>): Promise<string> {
  const error = await action.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

/** A grey picture of any size and kind. */
async function picture(file: string, width: number, height: number, gray: number): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: { r: gray, g: gray, b: gray } } }).toFile(file);
}

const image = { file: 'wren/a_0.00.png', label: 'wren', recording: 'a', start: 0, seconds: 2, split: 'train' };
const index = {
  format: 'lyrebird-dataset/1',
  complete: true,
  parameters: {
    wavelet: 'morlet',
    fmin: 500,
    fmax: 9000,
    w0: 12,
    rangeDb: 60,
    window: 2,
    hop: 1,
    size: 8,
    silenceDb: -60,
  },
  split: { fractions: { train: 0.8, validation: 0, test: 0.2 }, seed: 0 },
  classes: ['wren'],
  counts: { recordings: 1, images: 1, train: 1, validation: 0, test: 0, skippedFiles: 0, skippedWindows: 0 },
  notes: ['a note'],
  recordings: [],
  images: [image],
  skipped: [],
};

function datasetOf(value: unknown): string {
  const dir = temporaryFolder();
  writeFileSync(path.join(dir, 'dataset.json'), typeof value === 'string' ? value : JSON.stringify(value));
  return dir;
}

describe('dataset.json', () => {
  test('gives classes, images, parameters and notes', async () => {
    const dataset = await readDataset(datasetOf(index));
    expect(dataset).toMatchObject({
      classes: ['wren'],
      images: [image],
      parameters: { fmax: 9000 },
      notes: ['a note'],
    });
  });

  test.each([
    ['no JSON', 'classes: wren', /dataset\.json" is not valid JSON/],
    ['another format', { ...index, format: 'coco' }, /"format" \("coco"\): .*lyrebird-dataset\/1/],
    ['a field missing', { ...index, classes: undefined }, /"classes" \(missing\): /],
    ['a field too much', { ...index, extra: 1 }, /extra/],
    ['a wrong value', { ...index, images: [{ ...image, split: 'exam' }] }, /"images\.0\.split" \("exam"\): /],
    [
      'an unknown label',
      { ...index, images: [{ ...image, label: 'robin' }] },
      /"images\.0\.label" \("robin"\) is not one of its classes \(wren\)/,
    ],
    [
      'a way out',
      { ...index, images: [{ ...image, file: '../../secret.png' }] },
      /"\.\.\/\.\.\/secret\.png" leads outside/,
    ],
    ['an absolute path', { ...index, images: [{ ...image, file: '/etc/passwd' }] }, /"\/etc\/passwd" leads outside/],
    ['no images', { ...index, images: [] }, /lists no images/],
    ['a list', [], /dataset\.json": .*object/],
  ])('with %s is refused', async (_, value, sentence) => {
    const dir = datasetOf(value);
    const message = await messageFor(readDataset(dir));
    expect(message).toMatch(sentence);
    expect(message).not.toContain('\n');
  });
});

describe('a folder of pictures', () => {
  test('is split by file within each class, in sizes and formats of any kind', async () => {
    const dir = temporaryFolder();
    for (let i = 0; i < 5; i++) await picture(path.join(dir, `wren/${i}.png`), 10 + i, 20, 255);
    for (let i = 0; i < 3; i++) await picture(path.join(dir, `robin/${i}.JPG`), 30, 7, 0);
    writeFileSync(path.join(dir, 'readme.txt'), '');
    writeFileSync(path.join(dir, 'wren/notes.txt'), '');
    const dataset = await readDataset(dir);
    expect(dataset.classes).toEqual(['robin', 'wren']);
    expect(dataset.parameters).toBeUndefined();
    const [train, test] = await Promise.all([loadSplit(dataset, 'train', 6), loadSplit(dataset, 'test', 6)]);
    expect([train.count, test.count]).toEqual([6, 2]);
    expect([...train.files, ...test.files].sort()).toEqual(dataset.images.map((entry) => entry.file).sort());
    expect(train.images).toHaveLength(6 * 36);
    for (const [i, label] of train.labels.entries()) {
      expect(train.images[36 * i + 20]).toBeCloseTo(label === 1 ? 1 : -1);
    }
  });

  test('that lies flat, is missing or is a file is refused', async () => {
    const flat = temporaryFolder();
    await picture(path.join(flat, 'a.png'), 8, 8, 0);
    expect(await messageFor(readDataset(flat))).toMatch(
      /no dataset\.json, no labels\.csv, and no folders with pictures/,
    );
    expect(await messageFor(readDataset(path.join(flat, 'nowhere')))).toMatch(/no file or folder .*nowhere/);
    expect(await messageFor(readDataset(path.join(flat, 'a.png')))).toMatch(/a\.png" is a file/);
  });
});

describe('loading', () => {
  test('scales black to -1, white to 1, and keeps rows', async () => {
    const dir = datasetOf(index);
    mkdirSync(path.join(dir, 'wren'));
    const pixels = Uint8Array.from({ length: 64 }, (_, i) => 4 * i);
    await sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } }).toFile(path.join(dir, image.file));
    const { images, labels, count } = await loadSplit(await readDataset(dir), 'train', 8);
    expect([count, ...labels]).toEqual([1, 0]);
    expect(images).toEqual(Float32Array.from(pixels, (value) => value / 127.5 - 1));
  });

  test('an empty part gives no images', async () => {
    expect((await loadSplit(await readDataset(datasetOf(index)), 'validation', 8)).count).toBe(0);
  });
});
