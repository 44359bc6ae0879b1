/** What one part of a data set gives away of another: then what is measured on the other is better than it should be. */

import { insideFolder } from '../io/files.js';
import type { Part } from './parts.js';
import type { Dataset } from './read.js';
import { type Signatures, signaturesOf, similarPairs } from './similar.js';
import { recordingOf } from './split.js';

export interface CheckOptions {
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Signatures of a data set's images, in their order. */
export function datasetSignatures(
  { dir, images }: Pick<Dataset, 'dir' | 'images'>,
  { onProgress, signal }: CheckOptions = {},
): Promise<Signatures> {
  const files = images.map(({ file }) => insideFolder(dir, file));
  return signaturesOf(files, (done) => onProgress?.(done, files.length), signal);
}

/**
 * Warnings, as sentences: recordings in more than one part, windows of different parts that overlap in time, and images of
 * different parts that look the same. None if the parts are clean.
 */
export function findLeaks({ images }: Pick<Dataset, 'images'>, signatures: Signatures): string[] {
  return [...sharedRecordings(images), ...overlaps(images), ...lookalikes(images, signatures)];
}

type Images = Dataset['images'];

function sharedRecordings(images: Images): string[] {
  const parts = new Map<string, Set<Part>>();
  for (const image of images) {
    const name = recordingOf(image);
    parts.set(name, (parts.get(name) ?? new Set()).add(image.split));
  }
  const shared = [...parts].filter(([, own]) => own.size > 1);
  if (shared.length === 0) return [];
  const [name, own] = shared[0]!;
  return [
    `${shared.length} of ${parts.size} recordings are in more than one part; the first is "${name}" (${[...own].join(', ')}). ` +
      'Windows of one recording resemble each other, so results on them look better than they are.',
  ];
}

function overlaps(images: Images): string[] {
  const timed = images.flatMap((image) => {
    const { start, seconds } = image;
    return start === undefined || seconds === undefined
      ? []
      : [{ ...image, of: recordingOf(image), start, end: start + seconds }];
  });
  timed.sort((a, b) => (a.of < b.of ? -1 : a.of > b.of ? 1 : a.start - b.start));
  let count = 0;
  let first: { a: Images[number]; b: Images[number] } | undefined;
  for (const [i, a] of timed.entries()) {
    for (let k = i + 1; timed[k]?.of === a.of && timed[k]!.start < a.end; k++) {
      const b = timed[k]!;
      if (a.split === b.split) continue;
      count++;
      first ??= { a, b };
    }
  }
  if (!first) return [];
  const { a, b } = first;
  return [
    `${count} pairs of windows of different parts overlap in time: they share sound. The first is "${a.file}" ` +
      `(${a.split}) and "${b.file}" (${b.split}).`,
  ];
}

function lookalikes(images: Images, signatures: Signatures): string[] {
  const pairs = similarPairs(signatures, (a, b) => images[a]!.split !== images[b]!.split);
  if (pairs.length === 0) return [];
  const [a, b] = [images[pairs[0]!.a]!, images[pairs[0]!.b]!];
  return [
    `${pairs.length === 1 ? '1 image looks' : `${pairs.length} images look`} the same as one of another part (correlation ${pairs[0]!.correlation.toFixed(3)}); the first ` +
      `is "${a.file}" (${a.split}) and "${b.file}" (${b.split}). Remove one of them, or put both into one part.`,
  ];
}
