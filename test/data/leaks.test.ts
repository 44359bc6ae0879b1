import { mkdirSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { findLeaks } from '../../src/data/leaks.js';
import type { Dataset } from '../../src/data/read.js';
import { type Signatures, signaturesOf, similarPairs } from '../../src/data/similar.js';
import { uniform } from '../../src/reference/random.js';
import { temporaryFolder } from '../temporary.js';

const dir = temporaryFolder();
const at = (name: string) => path.join(dir, name);

/** Blurred noise: as smooth as a spectrogram, and no two alike. */
async function noise(name: string, seed: number): Promise<string> {
  const levels = Uint8Array.from(uniform(seed, 0, 64 * 64), (u) => 256 * u);
  mkdirSync(dir, { recursive: true });
  await sharp(levels, { raw: { width: 64, height: 64, channels: 1 } })
    .blur(3)
    .normalise()
    .png()
    .toFile(at(name));
  return at(name);
}

let originals: string[];
let copies: string[];
beforeAll(async () => {
  originals = await Promise.all([1, 2, 3, 4].map((seed) => noise(`${seed}.png`, seed)));
  copies = await Promise.all([
    sharp(originals[0])
      .jpeg({ quality: 50 })
      .toFile(at('jpeg.jpg'))
      .then(() => at('jpeg.jpg')),
    sharp(originals[1])
      .resize(100, 90, { fit: 'fill' })
      .toFile(at('size.png'))
      .then(() => at('size.png')),
    sharp(originals[2])
      .linear(0.6, 30)
      .toFile(at('dim.png'))
      .then(() => at('dim.png')),
  ]);
  await sharp({ create: { width: 9, height: 9, channels: 3, background: 'navy' } }).toFile(at('flat.png'));
});

describe('images that look the same', () => {
  test('are found as JPEG, in another size, and dimmer; others are not', async () => {
    const pairs = similarPairs(await signaturesOf([...originals, ...copies]));
    expect(pairs.map(({ a, b }) => [a, b])).toEqual([
      [0, 4],
      [1, 5],
      [2, 6],
    ]);
    for (const { correlation } of pairs) expect(correlation).toBeGreaterThan(0.99);
  });

  test('are compared only where that is wanted', async () => {
    const signatures = await signaturesOf([originals[0]!, copies[0]!, copies[0]!]);
    expect(similarPairs(signatures, (_, b) => b === 2).map(({ a, b }) => [a, b])).toEqual([
      [0, 2],
      [1, 2],
    ]);
  });

  test('are no images of one colour, and none that cannot be read', async () => {
    expect(similarPairs(await signaturesOf([at('flat.png'), at('flat.png'), at('gone'), at('gone')]))).toEqual([]);
  });
});

describe('leaks', () => {
  type Image = Dataset['images'][number];
  const image = (name: string, recording: string, split: Image['split'], start?: number): Image => ({
    file: `${name}.png`,
    label: 'wren',
    recording,
    split,
    ...(start !== undefined && { start, seconds: 2 }),
  });
  const nothing: Signatures = { count: 0, values: new Float32Array(), bits: new Uint32Array() };

  test('are none where every recording is in one part', () => {
    const images = [image('a', 'x', 'train', 0), image('b', 'x', 'train', 1), image('c', 'y', 'test', 0)];
    expect(findLeaks({ images }, nothing)).toEqual([]);
  });

  test('are recordings in two parts, and windows that overlap across them', () => {
    const images = [
      image('a', 'x', 'train', 0),
      image('b', 'x', 'test', 1),
      image('c', 'y', 'train', 0),
      image('d', 'y', 'test', 2),
      image('e', 'z', 'test', 0),
      image('f', 'x', 'train', 0.5),
    ];
    expect(findLeaks({ images }, nothing)).toEqual([
      expect.stringMatching(/^2 of 3 recordings are in more than one part; the first is "wren\/x" \(train, test\)/),
      expect.stringMatching(/^2 pairs of windows .* overlap in time.*"a\.png" \(train\) and "b\.png" \(test\)/),
    ]);
  });

  test('are images of different parts that look the same', async () => {
    const images = [image('1', 'x', 'train'), image('2', 'y', 'train'), image('copy', 'z', 'test')];
    const signatures = await signaturesOf([originals[0]!, originals[1]!, copies[0]!]);
    expect(findLeaks({ images }, signatures)).toEqual([
      expect.stringMatching(/^1 image looks the same .*"1\.png" \(train\) and "copy\.png" \(test\)/),
    ]);
    images[2]!.split = 'train';
    expect(findLeaks({ images }, signatures)).toEqual([]);
  });
});
