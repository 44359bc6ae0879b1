/**
 * Augmentation of spectrograms: how strong, and what that means in pixels. What it does is defined in
 * src/reference/spectrogramAugment.ts; the op spectrogram_augment does the same on the GPU, with gradients.
 */
import { z } from 'zod';
import {
  type AugmentShape,
  augmentImage,
  drawAugmentation,
  type SpectrogramAugmentAttrs,
} from '../reference/spectrogramAugment.js';
import type { ImageSource } from './store.js';

const share = z.number().min(0).max(1);
const decibels = z.number().min(0).max(60);

/** Strengths; 0, or not named, for what is not to happen. */
export const augmentSchema = z.strictObject({
  timeShift: share.default(0).describe('most that an image is rolled in time to either side, of its width'),
  frequencyShift: share.default(0).describe('most that it is shifted in frequency to either side, of its height'),
  gain: decibels.default(0).describe('most that it is raised or lowered, dB'),
  background: share.default(0).describe('probability that an image of the class noise is added'),
  fade: decibels.default(0).describe('most that such a background is lowered, dB'),
  timeMask: share.default(0).describe('most that is masked at a time, of its width'),
  frequencyMask: share.default(0).describe('most that is masked of frequencies, of its height'),
  cutout: share.default(0).describe('side of a masked square, of its width'),
});

export type AugmentConfig = z.infer<typeof augmentSchema>;

export const NO_AUGMENTATION: AugmentConfig = {
  timeShift: 0,
  frequencyShift: 0,
  gain: 0,
  background: 0,
  fade: 0,
  timeMask: 0,
  frequencyMask: 0,
  cutout: 0,
};

/** By the names that the command line has for them: strengths that leave a song what it is. */
export const AUGMENTATIONS: Readonly<Record<string, Partial<AugmentConfig>>> = {
  'time-shift': { timeShift: 0.5 },
  'frequency-shift': { frequencyShift: 0.02 },
  gain: { gain: 6 },
  background: { background: 0.5, fade: 30 },
  'time-mask': { timeMask: 0.15 },
  'frequency-mask': { frequencyMask: 0.1 },
  cutout: { cutout: 0.3 },
};

export const isAugmented = ({ fade: _, ...strengths }: AugmentConfig): boolean =>
  Object.values(strengths).some((strength) => strength > 0);

/** Decibels from black to white where a data set does not say. */
export const DEFAULT_RANGE_DB = 60;

/** The strengths in pixels and levels of images of `size` * `size`. */
export function augmentAttrs(
  config: AugmentConfig,
  size: number,
  rangeDb = DEFAULT_RANGE_DB,
): Omit<SpectrogramAugmentAttrs, 'seed' | 'stream'> {
  const pixels = (part: number) => Math.min(size, Math.round(part * size));
  const levels = (db: number) => (2 * db) / rangeDb;
  return {
    timeShift: pixels(config.timeShift),
    frequencyShift: pixels(config.frequencyShift),
    gain: levels(config.gain),
    background: config.background,
    fade: levels(config.fade),
    rangeDb,
    timeMask: pixels(config.timeMask),
    frequencyMask: pixels(config.frequencyMask),
    cutout: pixels(config.cutout),
  };
}

/** Images to mix in as background, `[count, channels, size, size]`, levels 0 to 255. */
export interface NoiseBank {
  count: number;
  levels: Int32Array;
}

/** Images that a bank holds: enough for variety, few enough for any GPU. */
const BANK = 32;

/** Evenly chosen images of a class; undefined if there are none. */
export async function noiseBank(source: ImageSource, label: number): Promise<NoiseBank | undefined> {
  const members = [...source.labels.keys()].filter((i) => source.labels[i] === label);
  const count = Math.min(BANK, members.length);
  if (count === 0) return undefined;
  const length = source.channels * source.size ** 2;
  const values = new Float32Array(count * length);
  for (let k = 0; k < count; k++) {
    await source.read(
      members[Math.floor((k * members.length) / count)]!,
      values.subarray(k * length, (k + 1) * length),
    );
  }
  return { count, levels: Int32Array.from(values, (value) => Math.round((value + 1) * 127.5)) };
}

/** Seeds of weights, noise and shuffling lie below 2^53, those of dropout from 2^63 on: nothing else draws the same numbers. */
const SEEDS_OF_AUGMENTATION = 2n ** 62n;

/** The numbers that augmentation draws in a run with that seed. */
export const augmentDraws = (seed: number, stream: number): Pick<SpectrogramAugmentAttrs, 'seed' | 'stream'> => ({
  seed: SEEDS_OF_AUGMENTATION + BigInt(seed),
  stream,
});

export interface AugmenterOptions {
  config: AugmentConfig;
  /** Of the images. */
  size: number;
  channels: number;
  seed: number;
  rangeDb?: number | undefined;
  noise?: NoiseBank | undefined;
}

/** What a loader wants: changes an image `[channels, size, size]` in place, as the seed, the step and its place in the batch say. */
export function createAugmenter(options: AugmenterOptions): (image: Float32Array, step: number, k: number) => void {
  const { config, size, channels, seed, rangeDb = DEFAULT_RANGE_DB, noise } = options;
  const attrs = augmentAttrs(config, size, rangeDb);
  const shape: AugmentShape = { channels, height: size, width: size };
  const before = new Float32Array(channels * size ** 2);
  return (image, step, k) => {
    before.set(image);
    const drawn = drawAugmentation(k, [size, size], noise?.count ?? 0, { ...attrs, ...augmentDraws(seed, step) });
    augmentImage(before, image, 0, noise?.levels, shape, drawn, rangeDb);
  };
}
