/** Sheets of a data set's images to look at: one of each class, and one of what augmentation makes of some. */

import { UserError } from '../io/errors.js';
import { insideFolder } from '../io/files.js';
import { gridPng } from '../io/image.js';
import { type Channels, readPixels } from '../io/pixels.js';
import {
  AUGMENTATIONS,
  type AugmentConfig,
  createAugmenter,
  NO_AUGMENTATION,
  type NoiseBank,
  noiseBank,
} from './augment.js';
import { PARTS } from './parts.js';
import type { Dataset } from './read.js';
import type { ImageSource } from './store.js';

const COLUMNS = 8;
/** Rows of images that a part of a class gets at most. */
const ROWS = 4;
/** Side of an image on a sheet. */
const SIDE = 96;

/** Evenly chosen items, in order; all if there are no more. */
function some<T>(items: readonly T[], most: number): T[] {
  const count = Math.min(most, items.length);
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

/** Images of a class, rows for each part: PNG. Images that cannot be read are left white. */
export async function classSheet({ dir, images }: Dataset, label: string, channels: Channels): Promise<Buffer> {
  const white = new Uint8Array(3 * SIDE ** 2).fill(255);
  const cells: Uint8Array[] = [];
  const rowLabels: string[] = [];
  const own = images.filter((image) => image.label === label);
  for (const part of PARTS) {
    const members = own.filter(({ split }) => split === part);
    const shown = some(members, COLUMNS * ROWS);
    const read = shown.map(({ file }) =>
      readPixels(insideFolder(dir, file), { size: SIDE, channels, fit: 'pad' }).catch(() => white),
    );
    cells.push(...(await Promise.all(read)).map(toBytes));
    for (let first = 0; first < shown.length; first += COLUMNS) rowLabels.push(first === 0 ? part : '');
    while (cells.length % COLUMNS > 0) cells.push(white);
  }
  const title = `${label}: ${cells.filter((cell) => cell !== white).length} of ${own.length} images`;
  return gridPng(cells, { columns: COLUMNS, size: SIDE, rowLabels, title });
}

/** 16 bits to 8. */
const toBytes = (pixels: Uint8Array | Uint16Array): Uint8Array =>
  pixels instanceof Uint16Array ? Uint8Array.from(pixels, (level) => level >> 8) : pixels;

export interface AugmentationSheet {
  source: ImageSource;
  /** Number of the class of backgrounds, -1 if there is none. */
  noiseClass: number;
  /** What the last row shows. */
  config: AugmentConfig;
  rangeDb?: number | undefined;
  seed: number;
}

/** The same images as they are, with each kind of augmentation by itself, and with `config`: PNG. */
export async function augmentationSheet({
  source,
  noiseClass,
  config,
  rangeDb,
  seed,
}: AugmentationSheet): Promise<Buffer> {
  const { size, channels, labels } = source;
  const noise = await noiseBank(source, noiseClass);
  const shown = some(
    [...labels.keys()].filter((i) => labels[i] !== noiseClass),
    COLUMNS,
  );
  if (shown.length === 0) throw new UserError('There are no training images to augment: no sheet can show how.');
  const rows: [string, AugmentConfig][] = [
    ['as it is', NO_AUGMENTATION],
    ...Object.entries(AUGMENTATIONS).flatMap(([kind, strengths]): [string, AugmentConfig][] =>
      kind === 'background' && !noise ? [] : [[kind, { ...NO_AUGMENTATION, ...strengths }]],
    ),
    ['all that was asked for', config],
  ];
  const cells: Uint8Array[] = [];
  for (const [row, [, strengths]] of rows.entries()) {
    const augment = createAugmenter({ config: always(strengths, noise), size, channels, seed, rangeDb, noise });
    for (const [k, i] of shown.entries()) {
      const image = new Float32Array(channels * size ** 2);
      await source.read(i, image);
      augment(image, row, k);
      cells.push(toInterleaved(image, channels));
    }
  }
  return gridPng(cells, { columns: shown.length, size, rowLabels: rows.map(([name]) => name), title: 'augmentation' });
}

/** Backgrounds on every image of the sheet, not now and then. */
const always = (config: AugmentConfig, noise: NoiseBank | undefined): AugmentConfig =>
  config.background > 0 && noise ? { ...config, background: 1 } : config;

/** Values `[channels, size, size]` in [-1, 1] to levels `[size, size, channels]`. */
function toInterleaved(image: Float32Array, channels: number): Uint8Array {
  const plane = image.length / channels;
  return Uint8Array.from(image, (_, i) => {
    const value = image[(i % channels) * plane + Math.floor(i / channels)]!;
    return Math.round((value + 1) * 127.5);
  });
}
