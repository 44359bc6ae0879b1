/** What one part of a data set gives away of another: then what is measured on the other is better than it should be. */

import { insideFolder } from '../io/files.js';
import type { Part } from './parts.js';
import type { Dataset } from './read.js';
import { type Signatures, signaturesOf, similarPairs } from './similar.js';

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

const nameOf = ({ label, recording, source }: Images[number]): string => source ?? `${label}/${recording}`;

function sharedRecordings(images: Images): string[] {
  const parts = new Map<string, Set<Part>>();
  for (const image of images) parts.set(nameOf(image), (parts.get(nameOf(image)) ?? new Set()).add(image.split));
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
    return start === undefined || seconds === undefined ? [] : [{ ...image, start, end: start + seconds }];
  });
  timed.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : a.start - b.start));
  const pairs = timed.flatMap((image, i) => {
    const next = timed[i + 1];
    const touches = next && nameOf(next) === nameOf(image) && next.start < image.end && next.split !== image.split;
    return touches ? [[image, next] as const] : [];
  });
  if (pairs.length === 0) return [];
  const [a, b] = pairs[0]!;
  return [
    `${pairs.length} pairs of windows of different parts overlap in time: they share sound. The first is "${a.file}" ` +
      `(${a.split}) and "${b.file}" (${b.split}).`,
  ];
}

function lookalikes(images: Images, signatures: Signatures): string[] {
  const pairs = similarPairs(signatures, (a, b) => images[a]!.split !== images[b]!.split);
  if (pairs.length === 0) return [];
  const [a, b] = [images[pairs[0]!.a]!, images[pairs[0]!.b]!];
  return [
    `${pairs.length} images look the same as one of another part (correlation ${pairs[0]!.correlation.toFixed(3)}); the first ` +
      `is "${a.file}" (${a.split}) and "${b.file}" (${b.split}). Remove one of them, or put both into one part.`,
  ];
}
