/**
 * Spectrograms as they might have been recorded a little earlier, higher, louder, in another place, or in part: rolled in
 * time, shifted in frequency, raised in level, with background sound added, and with bands of time and frequency masked
 * (SpecAugment, Park et al. 2019), and a square (cutout, DeVries and Taylor 2017), whose middle may be anywhere. They are never mirrored: a song backwards, or upside down, is another song.
 *
 *   v = x[n, c, clamp(h - df, 0, H - 1), (w - dt) mod W] + gain
 *   v = v + log(1 + exp(k (b - v))) / k      where background is added: the energies of both sum up
 *   y[n, c, h, w] = -1 under a mask, else min(1, max(-1, v))
 *
 * Levels are decibels, [-1, 1] for a range of `rangeDb`: k = rangeDb log(10) / 20. b = noise[m, c, h, w] / 127.5 - 1 - fade.
 *
 * What image n gets follows from seed, stream and n: words 0 to 11 of Philox counters (3 n, stream, 1, 0) and the two that
 * follow. The 1 keeps them apart from all that is drawn by random.ts. choose(word, count) = floor(word count / 2^32).
 */
import { type Array64, make, sizeOf } from './array.js';
import { philox4x32, seedKey } from './random.js';

export interface SpectrogramAugmentAttrs {
  seed: number | bigint;
  /** A whole number below 2^32. */
  stream: number;
  /** Most columns by which an image is rolled to either side, and rows by which it is shifted. */
  timeShift: number;
  frequencyShift: number;
  /** Most levels by which it is raised or lowered. */
  gain: number;
  /** Probability that background is added, and most levels by which that is lowered. */
  background: number;
  fade: number;
  /** Decibels from -1 to 1. */
  rangeDb: number;
  /** Most columns, and rows, that are masked. */
  timeMask: number;
  frequencyMask: number;
  /** Columns and rows of a square that is masked, as far as it lies in the image. Default 0. */
  cutout?: number;
}

/** What one image gets. */
export interface Augmentation {
  dt: number;
  df: number;
  gain: number;
  /** Which background; undefined for none. */
  noise: number | undefined;
  fade: number;
  /** First masked column and row, and the first that is not masked again. */
  columns: [number, number];
  rows: [number, number];
  /** Of the square, the same. */
  holeColumns: [number, number];
  holeRows: [number, number];
}

const WORDS = 12;

/** What image n of [H, W] pixels gets, with `noises` backgrounds to choose from. */
export function drawAugmentation(
  n: number,
  [height, width]: readonly [number, number],
  noises: number,
  attrs: SpectrogramAugmentAttrs,
): Augmentation {
  const key = seedKey(attrs.seed);
  const words: number[] = [];
  for (let i = 0; words.length < WORDS; i++) words.push(...philox4x32([3 * n + i, attrs.stream, 1, 0], key));
  const choose = (i: number, count: number) => Math.floor((words[i]! * count) / 2 ** 32);
  const unit = (i: number) => (words[i]! >>> 8) * 2 ** -24;
  const columns = choose(6, attrs.timeMask + 1);
  const rows = choose(8, attrs.frequencyMask + 1);
  const column = choose(7, width - columns + 1);
  const row = choose(9, height - rows + 1);
  const { cutout = 0 } = attrs;
  /** The part of the square in an extent of the image, with its middle at one of its positions. */
  const hole = (i: number, extent: number): [number, number] => {
    const first = choose(i, extent) - Math.floor(cutout / 2);
    return [Math.max(0, first), Math.max(0, Math.min(extent, first + cutout))];
  };
  return {
    dt: choose(0, 2 * attrs.timeShift + 1) - attrs.timeShift,
    df: choose(1, 2 * attrs.frequencyShift + 1) - attrs.frequencyShift,
    gain: (2 * unit(2) - 1) * attrs.gain,
    noise: noises > 0 && unit(3) < attrs.background ? choose(4, noises) : undefined,
    fade: unit(5) * attrs.fade,
    columns: [column, column + columns],
    rows: [row, row + rows],
    holeColumns: hole(10, width),
    holeRows: hole(11, height),
  };
}

/** Images [channels, height, width] in [-1, 1], and backgrounds [count, channels, height, width] in levels 0 to 255. */
export interface AugmentShape {
  channels: number;
  height: number;
  width: number;
}

/** Writes image `x`, from `offset` on, with an augmentation to `y`, likewise. */
export function augmentImage(
  x: ArrayLike<number>,
  y: { [i: number]: number },
  offset: number,
  noise: ArrayLike<number> | undefined,
  { channels, height, width }: AugmentShape,
  { dt, df, gain, noise: chosen, fade, columns, rows, holeColumns, holeRows }: Augmentation,
  rangeDb: number,
): void {
  const k = (rangeDb * Math.log(10)) / 20;
  const plane = height * width;
  for (let line = 0; line < channels * height; line++) {
    const h = line % height;
    const from = offset + (line - h + Math.min(height - 1, Math.max(0, h - df))) * width;
    const to = offset + line * width;
    const background = chosen === undefined ? undefined : chosen * channels * plane + line * width;
    const isMasked = h >= rows[0] && h < rows[1];
    const meetsHole = h >= holeRows[0] && h < holeRows[1];
    for (let w = 0; w < width; w++) {
      const inHole = meetsHole && w >= holeColumns[0] && w < holeColumns[1];
      if (isMasked || inHole || (w >= columns[0] && w < columns[1])) {
        y[to + w] = -1;
        continue;
      }
      let v = x[from + ((((w - dt) % width) + width) % width)]! + gain;
      if (background !== undefined) {
        const b = noise![background + w]! / 127.5 - 1 - fade;
        // log(1 + exp(d)) without overflow.
        const d = k * (b - v);
        v += (Math.max(0, d) + Math.log1p(Math.exp(-Math.abs(d)))) / k;
      }
      y[to + w] = Math.min(1, Math.max(-1, v));
    }
  }
}

/** x [N, C, H, W], noise [M, C, H, W] or none -> y like x. */
export function spectrogramAugment(
  [x, noise]: readonly (Array64 | undefined)[],
  attrs: SpectrogramAugmentAttrs,
): { y: Array64 } {
  const [count, channels, height, width] = x!.shape as [number, number, number, number];
  const y = make(x!.shape, new Float64Array(sizeOf(x!.shape)));
  const noises = noise?.shape[0] ?? 0;
  for (let n = 0; n < count; n++) {
    const augmentation = drawAugmentation(n, [height, width], noises, attrs);
    const offset = n * channels * height * width;
    augmentImage(x!.data, y.data, offset, noise?.data, { channels, height, width }, augmentation, attrs.rangeDb);
  }
  return { y };
}
