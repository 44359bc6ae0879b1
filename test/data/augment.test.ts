import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Tape } from '../../src/autograd/tape.js';
import {
  AUGMENTATIONS,
  type AugmentConfig,
  augmentAttrs,
  augmentDraws,
  createAugmenter,
  isAugmented,
  NO_AUGMENTATION,
  noiseBank,
} from '../../src/data/augment.js';
import { sourceOf } from '../../src/data/store.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { spectrogramAugment } from '../../src/ops/spectrogramAugment.js';
import { uniform } from '../../src/reference/random.js';
import { augmentImage, drawAugmentation } from '../../src/reference/spectrogramAugment.js';

const ALL: AugmentConfig = Object.assign({}, NO_AUGMENTATION, ...Object.values(AUGMENTATIONS));
const size = 20;
/** Values below 1, so that no clamping hides anything. */
const picture = Float32Array.from(uniform(1, 0, size * size), (u) => u - 0.5);

function augmented(config: Partial<AugmentConfig>, step = 0, k = 0, image = picture): Float32Array {
  const copy = image.slice();
  createAugmenter({ config: { ...NO_AUGMENTATION, ...config }, size, channels: 1, seed: 3 })(copy, step, k);
  return copy;
}
const row = (image: Float32Array, h: number) => [...image.subarray(h * size, (h + 1) * size)];

test('without strengths nothing changes', () => {
  expect(isAugmented(NO_AUGMENTATION)).toBe(false);
  expect(isAugmented(ALL)).toBe(true);
  expect(augmented({})).toEqual(picture);
});

test('what an image gets follows from seed, step and place alone', () => {
  expect(augmented(ALL, 5, 2)).toEqual(augmented(ALL, 5, 2));
  expect(augmented(ALL, 5, 2)).not.toEqual(augmented(ALL, 5, 3));
  expect(augmented(ALL, 5, 2)).not.toEqual(augmented(ALL, 6, 2));
});

test('what an image gets is not drawn from the numbers that the first weights of the same seed are made of', () => {
  const copy = picture.slice();
  const drawn = drawAugmentation(0, [size, size], 0, { ...augmentAttrs(ALL, size), seed: 3, stream: 0 });
  augmentImage(picture, copy, 0, undefined, { channels: 1, height: size, width: size }, drawn, 80);
  expect(copy).not.toEqual(augmented(ALL));
});

describe('each kind does what its name says', () => {
  const steps = fc.integer({ min: 0, max: 10_000 });

  test('time-shift rolls, and never turns a song round', () => {
    const shifts = new Set<number>();
    fc.assert(
      fc.property(steps, (step) => {
        const shifted = augmented({ timeShift: 0.5 }, step);
        const shift = row(shifted, 0).indexOf(picture[0]!);
        shifts.add(shift);
        for (let h = 0; h < size; h++) {
          const rolled = row(picture, h).map((_, w) => picture[h * size + ((w - shift + size) % size)]!);
          expect(row(shifted, h)).toEqual(rolled);
        }
      }),
    );
    expect(shifts.size).toBeGreaterThan(10);
  });

  test('frequency-shift moves rows by one or two, and repeats the edge', () => {
    const moves = new Set<number>();
    fc.assert(
      fc.property(steps, (step) => {
        const shifted = augmented({ frequencyShift: 0.1 }, step);
        const middle = row(shifted, 10);
        const move = 10 - [8, 9, 10, 11, 12].find((h) => row(picture, h)[0] === middle[0])!;
        moves.add(move);
        for (let h = 0; h < size; h++) {
          expect(row(shifted, h)).toEqual(row(picture, Math.min(size - 1, Math.max(0, h - move))));
        }
      }),
    );
    expect([...moves].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  });

  test('gain raises or lowers all by one amount of at most 6 dB', () => {
    const gains = Array.from({ length: 50 }, (_, step) => {
      const raised = augmented({ gain: 6 }, step);
      const gain = raised[0]! - picture[0]!;
      for (const [i, value] of raised.entries()) expect(value - picture[i]!).toBeCloseTo(gain, 6);
      return gain * 30; // dB, of a range of 60
    });
    expect(Math.min(...gains)).toBeLessThan(-4);
    expect(Math.max(...gains)).toBeGreaterThan(4);
    expect(Math.max(...gains.map(Math.abs))).toBeLessThanOrEqual(6);
  });

  test('masks are bands of black, no wider than asked', () => {
    for (let step = 0; step < 50; step++) {
      const masked = augmented({ timeMask: 0.2, frequencyMask: 0.1 }, step);
      const columns = [...Array(size).keys()].filter(
        (w) => row(masked, 0)[w] === -1 && row(masked, size - 1)[w] === -1,
      );
      const rows = [...Array(size).keys()].filter((h) => row(masked, h).every((value) => value === -1));
      expect(rows.length).toBeLessThanOrEqual(2);
      if (rows.length === 0) expect(columns.length).toBeLessThanOrEqual(4);
      for (const [i, value] of masked.entries()) {
        const hidden = columns.includes(i % size) || rows.includes(Math.floor(i / size));
        if (!hidden) expect(value).toBe(picture[i]);
      }
    }
  });

  test('cutout is a square of black, cut off at the edges of the image', () => {
    const areas = new Set<number>();
    for (let step = 0; step < 50; step++) {
      const cut = augmented({ cutout: 0.3 }, step);
      const black = [...cut.keys()].filter((i) => cut[i] === -1);
      const rows = new Set(black.map((i) => Math.floor(i / size)));
      const columns = new Set(black.map((i) => i % size));
      for (const extent of [rows, columns]) {
        expect(extent.size).toBeGreaterThanOrEqual(3);
        expect(extent.size).toBeLessThanOrEqual(6);
        expect(Math.max(...extent) - Math.min(...extent)).toBe(extent.size - 1);
      }
      expect(black).toHaveLength(rows.size * columns.size);
      areas.add(black.length);
      for (const [i, value] of cut.entries()) if (value !== -1) expect(value).toBe(picture[i]);
    }
    expect(areas.has(36)).toBe(true);
    expect(areas.size).toBeGreaterThan(2);
  });

  test('background adds energies: as loud as the picture, it is 3 dB more', () => {
    const flat = new Float32Array(size * size).fill(0.2);
    const noise = { count: 1, levels: new Int32Array(size * size).fill(153) }; // the same level
    const options = { config: { ...NO_AUGMENTATION, background: 1 }, size, channels: 1, seed: 1, rangeDb: 60, noise };
    createAugmenter(options)(flat, 0, 0);
    for (const value of flat) expect((value - 0.2) * 30).toBeCloseTo(10 * Math.log10(2), 4);
  });
});

test('backgrounds come from the class asked for, evenly, and at most 32', async () => {
  const labels = Int32Array.from({ length: 200 }, (_, i) => i % 2);
  const values = Float32Array.from(labels, (_, i) => i / 127.5 - 1);
  const source = sourceOf(values, labels, 1);
  const bank = (await noiseBank(source, 1))!;
  expect(bank.count).toBe(32);
  expect(bank.levels[0]).toBe(1);
  expect(bank.levels.every((level) => level % 2 === 1)).toBe(true);
  expect(new Set(bank.levels).size).toBe(32);
  expect(await noiseBank(source, 7)).toBeUndefined();
});

describe('on the GPU', () => {
  let gpu: Gpu;
  let e: Engine;
  beforeAll(async () => {
    gpu = await openGpu();
    e = new Engine(gpu);
  });
  afterAll(() => gpu?.close());

  test('an image gets what the loader gives it', async () => {
    const [batch, channels, seed, step] = [6, 3, 9, 1234];
    const length = channels * size * size;
    const images = Float32Array.from(uniform(2, 0, batch * length), (u) => 2 * u - 1);
    const noise = { count: 4, levels: Int32Array.from(uniform(3, 0, 4 * length), (u) => Math.floor(256 * u)) };
    const attrs = { ...augmentAttrs(ALL, size), ...augmentDraws(seed, step) };
    const y = e.scope(() =>
      new Tape(e).apply(
        spectrogramAugment,
        [e.upload(images, [batch, channels, size, size]), e.upload(noise.levels, [4, channels, size, size])],
        attrs,
      ),
    );
    const onGpu = await e.read(y);
    e.release(y);
    const augment = createAugmenter({ config: ALL, size, channels, seed, noise });
    for (let k = 0; k < batch; k++) augment(images.subarray(k * length, (k + 1) * length), step, k);
    let largest = 0;
    for (const [i, value] of onGpu.entries()) largest = Math.max(largest, Math.abs(value - images[i]!));
    expect(largest).toBeLessThan(1e-5);
    const drawn = Array.from({ length: batch }, (_, k) => drawAugmentation(k, [size, size], 4, attrs));
    expect(new Set(drawn.map(({ dt }) => dt)).size).toBeGreaterThan(2);
    expect(new Set(drawn.map((one) => one.noise)).size).toBeGreaterThan(1);
  });
});
