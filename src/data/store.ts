/**
 * A data set's images, decoded when they are wanted. Every picture is opened once at the beginning: so those that are
 * damaged are known before anything is trained on the others, and the hash of all says whether a resumed run meets the
 * same ones. As many as the memory set aside for them can hold then stay; the rest are decoded anew whenever they are
 * drawn. Which ones stay is fixed: shuffled passes come back to an image after as many others as there are, so that
 * forgetting the oldest would keep none of use.
 */

import { createHash } from 'node:crypto';
import { onlyUserErrors, UserError } from '../io/errors.js';
import { insideFolder } from '../io/files.js';
import { type Channels, type Fit, type Pixels, readPixels } from '../io/pixels.js';
import type { Part } from './parts.js';
import type { Dataset } from './read.js';

/** Images by their number, and what they show. */
export interface ImageSource {
  readonly size: number;
  readonly channels: number;
  /** `[count]`, positions in the data set's `classes`. */
  readonly labels: Int32Array;
  /** Writes image i, `[channels, size, size]`, black -1, white 1; later, if it has to be decoded first. */
  read(i: number, to: Float32Array): void | Promise<void>;
}

export interface ImageStore extends ImageSource {
  /** Path below the data set of each image. */
  readonly files: readonly string[];
  /** Pictures that could not be read, and why. */
  readonly skipped: readonly { file: string; reason: string }[];
  /** Of all levels and labels, SHA-256 in hexadecimal. */
  readonly hash: string;
}

export interface StoreOptions {
  size: number;
  /** Default 1. */
  channels?: Channels;
  /** How pictures that are not square become square. Default `stretch`. */
  fit?: Fit;
  /** Memory for decoded images. Default 1 GiB: a million grey ones of 32 x 32, or 16 000 of 256 x 256. */
  bytes?: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Images that are decoded at the same time. */
const AT_ONCE = 32;

/**
 * Opens one part of a data set, which may be empty. Pictures that cannot be read are left out, and listed. Throws the
 * signal's reason if it is stopped.
 */
export async function openImages(dataset: Dataset, part: Part, options: StoreOptions): Promise<ImageStore> {
  const { size, channels = 1, fit = 'stretch', bytes = 2 ** 30, onProgress, signal } = options;
  const members = dataset.images.filter((image) => image.split === part);
  const decode = (file: string): Promise<Pixels> =>
    readPixels(insideFolder(dataset.dir, file), { size, channels, fit });
  const kept: { file: string; label: number; pixels: Pixels | undefined }[] = [];
  const skipped: { file: string; reason: string }[] = [];
  const hash = createHash('sha256').update(`${size} ${channels}`);
  let left = bytes;
  for (let first = 0; first < members.length; first += AT_ONCE) {
    signal?.throwIfAborted();
    const some = members.slice(first, first + AT_ONCE);
    const decoded = await Promise.all(some.map(({ file }) => decode(file).catch(onlyUserErrors)));
    for (const [k, pixels] of decoded.entries()) {
      const { file } = some[k]!;
      if (pixels instanceof UserError) {
        skipped.push({ file, reason: reasonOf(pixels, insideFolder(dataset.dir, file)) });
        continue;
      }
      const label = dataset.classes.indexOf(some[k]!.label);
      hash.update(` ${label} `).update(pixels);
      const stays = pixels.byteLength <= left;
      if (stays) left -= pixels.byteLength;
      kept.push({ file, label, pixels: stays ? pixels : undefined });
    }
    onProgress?.(first + some.length, members.length);
  }
  return {
    size,
    channels,
    labels: Int32Array.from(kept, ({ label }) => label),
    files: kept.map(({ file }) => file),
    skipped,
    hash: hash.digest('hex'),
    read(i, to) {
      const { pixels, file } = kept[i]!;
      if (pixels) return toPlanes(pixels, channels, to);
      return decode(file).then((late) => toPlanes(late, channels, to));
    },
  };
}

/** Pictures named one by one before only their number is said. */
const NAMED = 10;

/** What to say of pictures that cannot be read; nothing where all can. */
export function describeSkipped({ parameters, images }: Dataset, skipped: ImageStore['skipped']): string[] {
  if (skipped.length === 0) return [];
  const again = parameters ? ' Preparing the data set again makes them anew.' : '';
  return [
    ...skipped.slice(0, NAMED).map(({ file, reason }) => `left out: ${file}: ${reason}`),
    `left out in all: ${skipped.length} of ${images.length} images cannot be read.${again}`,
  ];
}

/** Images that are in memory anyway, `[count, channels, size, size]`. */
export function sourceOf(images: Float32Array, labels: Int32Array, size: number): ImageSource {
  const length = images.length / Math.max(1, labels.length);
  const channels = length / size ** 2;
  return { size, channels, labels, read: (i, to) => to.set(images.subarray(i * length, (i + 1) * length)) };
}

/** Some of a source's images, by their numbers. */
export function subsetOf(source: ImageSource, numbers: readonly number[]): ImageSource {
  const { size, channels, labels } = source;
  return {
    size,
    channels,
    labels: Int32Array.from(numbers, (i) => labels[i]!),
    read: (i, to) => source.read(numbers[i]!, to),
  };
}

/** Levels `[size, size, channels]` to values `[channels, size, size]` in [-1, 1]. */
function toPlanes(pixels: Pixels, channels: number, to: Float32Array): void {
  const half = (pixels instanceof Uint16Array ? 65535 : 255) / 2;
  const plane = pixels.length / channels;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < plane; p++) to[c * plane + p] = pixels[p * channels + c]! / half - 1;
  }
}

/** The message without the path that it begins with. */
function reasonOf({ message }: UserError, path: string): string {
  const subject = `"${path}" `;
  return message.startsWith(subject) ? message.slice(subject.length) : message;
}
