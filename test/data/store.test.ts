import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { readDataset } from '../../src/data/read.js';
import { openImages } from '../../src/data/store.js';
import { temporaryFolder } from '../temporary.js';

/** A folder of five grey pictures a class, of 4 x 4 pixels, all for training. */
async function folder(): Promise<string> {
  const dir = temporaryFolder();
  for (const [k, label] of ['robin', 'wren'].entries()) {
    mkdirSync(path.join(dir, label));
    for (let i = 0; i < 5; i++) {
      const levels = Uint8Array.from({ length: 16 }, (_, p) => 100 * k + 16 * i + p);
      const image = sharp(levels, { raw: { width: 4, height: 4, channels: 1 } }).png();
      await image.toFile(path.join(dir, label, `${i}.png`));
    }
  }
  return dir;
}

const open = async (dir: string, options = {}) => {
  const dataset = await readDataset(dir, { fractions: { train: 1, validation: 0, test: 0 } });
  return openImages(dataset, 'train', { size: 4, ...options });
};

const valuesOf = async (store: Awaited<ReturnType<typeof open>>, i: number) => {
  const to = new Float32Array(16);
  await store.read(i, to);
  return [...to].map((value) => Math.round((value + 1) * 127.5));
};

test('images that do not fit into memory are decoded when they are read', async () => {
  const dir = await folder();
  const [whole, small] = [await open(dir), await open(dir, { bytes: 3 * 16 })];
  expect(small.hash).toBe(whole.hash);
  for (const i of whole.labels.keys()) expect(await valuesOf(small, i)).toEqual(await valuesOf(whole, i));
  rmSync(path.join(dir, 'robin'), { recursive: true });
  expect((await valuesOf(small, 2))[0]).toBe(32);
  await expect(valuesOf(small, 3)).rejects.toThrow(/There is no file or folder/);
});

test('missing and damaged pictures are left out, listed, and do not move labels', async () => {
  const dir = await folder();
  writeFileSync(path.join(dir, 'robin/1.png'), 'no picture');
  const whole = await sharp({ create: { width: 50, height: 50, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  writeFileSync(path.join(dir, 'robin/3.png'), whole.subarray(0, whole.length / 2));
  const dataset = await readDataset(dir, { fractions: { train: 1, validation: 0, test: 0 } });
  rmSync(path.join(dir, 'wren/4.png'));
  const { files, labels, skipped } = await openImages(dataset, 'train', { size: 4 });
  expect(files).toEqual([
    'robin/0.png',
    'robin/2.png',
    'robin/4.png',
    'wren/0.png',
    'wren/1.png',
    'wren/2.png',
    'wren/3.png',
  ]);
  expect([...labels]).toEqual([0, 0, 0, 1, 1, 1, 1]);
  expect(skipped.map(({ file }) => file)).toEqual(['robin/1.png', 'robin/3.png', 'wren/4.png']);
  expect(skipped[0]!.reason).toMatch(/^cannot be read as an image/);
});

test('the hash tells other levels, labels, sizes and channels apart', async () => {
  const dir = await folder();
  const first = await open(dir);
  const hashes = [first, await open(dir, { size: 8 }), await open(dir, { channels: 3 })].map(({ hash }) => hash);
  await sharp({ create: { width: 4, height: 4, channels: 3, background: 'black' } }).toFile(
    path.join(dir, 'wren/0.png'),
  );
  hashes.push((await open(dir)).hash);
  expect(new Set(hashes).size).toBe(4);
});

test('three channels come as planes', async () => {
  const dir = temporaryFolder();
  mkdirSync(path.join(dir, 'red'));
  for (const name of ['a', 'b']) {
    const background = { r: 255, g: 0, b: 51 };
    await sharp({ create: { width: 9, height: 3, channels: 3, background } }).toFile(
      path.join(dir, 'red', `${name}.png`),
    );
  }
  const store = await open(dir, { size: 2, channels: 3 });
  const to = new Float32Array(12);
  await store.read(1, to);
  expect([...to].map((value) => value.toFixed(1))).toEqual([
    ...Array(4).fill('1.0'),
    ...Array(4).fill('-1.0'),
    ...Array(4).fill('-0.6'),
  ]);
});

test('a stop ends the reading', async () => {
  await expect(open(await folder(), { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
});
