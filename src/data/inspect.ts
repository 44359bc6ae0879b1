/** What a data set is like, image by image: for people who want to know what they train on. */

import { onlyUserErrors, UserError } from '../io/errors.js';
import { insideFolder } from '../io/files.js';
import { type ImageFacts, imageFacts } from '../io/pixels.js';
import { type CheckOptions, datasetSignatures, findLeaks } from './leaks.js';
import { PARTS, type Part } from './parts.js';
import type { Dataset } from './read.js';
import { similarPairs } from './similar.js';
import { recordingOf, recordistKey } from './split.js';

export interface ClassFacts {
  label: string;
  /** Images of each part. */
  parts: Record<Part, number>;
  images: number;
  recordings: number;
  /** Recordists that are known. */
  recordists: number;
  /** Of sound that its windows show, where that is known; what several show counts once. */
  seconds: number;
  /** Mean over its images, of grey levels from 0 to 1. */
  mean: number;
  deviation: number;
}

export interface Inspection {
  classes: ClassFacts[];
  /** Images of each size, `64 x 64`, and of each kind, `grey, 8 bit`; the most frequent first. */
  sizes: [name: string, images: number][];
  kinds: [name: string, images: number][];
  /** Means over all images of their grey levels' mean and deviation, and of the shares of black and white pixels. */
  levels: { mean: number; deviation: number; black: number; white: number };
  /** Images of one level only. */
  blank: string[];
  unreadable: { file: string; reason: string }[];
  /** Images that look the same; `labels` is true if they are of different classes. */
  duplicates: { a: string; b: string; correlation: number; labels: boolean }[];
  /** What one part gives away of another, as sentences. */
  leaks: string[];
}

/** Images that are decoded at the same time. */
const AT_ONCE = 16;

/** Opens every image twice; throws the signal's reason if it is stopped. */
export async function inspectDataset(dataset: Dataset, options: CheckOptions = {}): Promise<Inspection> {
  const { images, classes, dir } = dataset;
  const { onProgress, signal } = options;
  const facts: (ImageFacts | UserError)[] = [];
  for (let first = 0; first < images.length; first += AT_ONCE) {
    signal?.throwIfAborted();
    const files = images.slice(first, first + AT_ONCE).map(({ file }) => insideFolder(dir, file));
    facts.push(...(await Promise.all(files.map((file) => imageFacts(file).catch(onlyUserErrors)))));
    onProgress?.(facts.length, 2 * images.length);
  }
  const signatures = await datasetSignatures(dataset, {
    ...options,
    onProgress: (done, total) => onProgress?.(total + done, 2 * total),
  });
  const readable = facts.filter((fact): fact is ImageFacts => !(fact instanceof UserError));
  const mean = (field: 'mean' | 'deviation' | 'black' | 'white', of: readonly ImageFacts[] = readable) =>
    of.reduce((sum, fact) => sum + fact[field], 0) / Math.max(1, of.length);
  const byClass = (label: string): ClassFacts => {
    const own = images.filter((image) => image.label === label);
    const ownFacts = facts.filter(
      (fact, i): fact is ImageFacts => images[i]!.label === label && !(fact instanceof UserError),
    );
    const inPart = (part: Part) => own.filter(({ split }) => split === part).length;
    return {
      label,
      parts: Object.fromEntries(PARTS.map((part) => [part, inPart(part)])) as Record<Part, number>,
      images: own.length,
      recordings: new Set(own.map(recordingOf)).size,
      recordists: new Set(own.flatMap(({ recordist }) => recordistKey(recordist) ?? [])).size,
      seconds: secondsShown(own),
      mean: mean('mean', ownFacts),
      deviation: mean('deviation', ownFacts),
    };
  };
  return {
    classes: classes.map(byClass),
    sizes: counted(readable.map(({ width, height }) => `${width} x ${height}`)),
    kinds: counted(readable.map(kindOf)),
    levels: { mean: mean('mean'), deviation: mean('deviation'), black: mean('black'), white: mean('white') },
    blank: images.flatMap(({ file }, i) => (isBlank(facts[i]!) ? [file] : [])),
    unreadable: images.flatMap(({ file }, i) => {
      const fact = facts[i]!;
      return fact instanceof UserError ? [{ file, reason: fact.message }] : [];
    }),
    duplicates: similarPairs(signatures).map(({ a, b, correlation }) => ({
      a: images[a]!.file,
      b: images[b]!.file,
      correlation,
      labels: images[a]!.label !== images[b]!.label,
    })),
    leaks: findLeaks(dataset, signatures),
  };
}

type Image = Dataset['images'][number];

const KINDS = ['grey', 'grey with alpha', 'colour', 'colour with alpha'];

const kindOf = ({ channels, bits }: ImageFacts): string =>
  `${KINDS[channels - 1] ?? `${channels} channels`}, ${bits} bit`;

const isBlank = (fact: ImageFacts | UserError): boolean => !(fact instanceof UserError) && fact.deviation < 1e-6;

/** The length of the union of all windows, recording by recording. */
function secondsShown(images: readonly Image[]): number {
  const windows = images.flatMap((image) => {
    const { start, seconds } = image;
    return start === undefined || seconds === undefined
      ? []
      : [{ of: recordingOf(image), start, end: start + seconds }];
  });
  windows.sort((a, b) => (a.of < b.of ? -1 : a.of > b.of ? 1 : a.start - b.start));
  let total = 0;
  let [of, end] = ['', 0];
  for (const window of windows) {
    if (window.of !== of) [of, end] = [window.of, 0];
    total += Math.max(0, window.end - Math.max(end, window.start));
    end = Math.max(end, window.end);
  }
  return total;
}

/** How often each name occurs, the most frequent first. */
function counted(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
