/** The kinds of images that an evaluation compares: of the training part, held out, generated. */
import type { Dataset } from '../data/read.js';
import { recordingOf } from '../data/split.js';
import { type ImageSource, type ImageStore, sourceOf, subsetOf } from '../data/store.js';
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import { singles, type Units } from '../metrics/bootstrap.js';
import type { Sample } from '../metrics/compare.js';
import { subset } from '../metrics/points.js';
import { type Checkpoint, openGenerator, type Weights } from './checkpoint.js';
import type { FeatureSpace } from './features.js';
import { checkNumbers, generateImages, noiseIndex } from './sample.js';

/** Images of one kind, with their features and what belongs together: windows of one recording. */
export interface Kind extends Sample {
  readonly source: ImageSource;
  readonly labels: Int32Array;
}

export interface Kinds {
  readonly train: Kind;
  readonly heldOut: Kind;
  readonly generated: Kind;
}

/** One part of the data set. */
export async function realKind(space: FeatureSpace, dataset: Dataset, store: ImageStore): Promise<Kind> {
  const { labels } = store;
  return { source: store, labels, units: recordingsOf(dataset, store), points: await space.pointsOf(store) };
}

/** Generated images, each by itself. */
export async function generatedKind(space: FeatureSpace, source: ImageSource): Promise<Kind> {
  const { labels } = source;
  return { source, labels, units: singles(labels.length), points: await space.pointsOf(source) };
}

/** A number for each image: equal for windows of one recording, whatever their labels. */
export function recordingsOf(dataset: Dataset, store: ImageStore): Units {
  const images = new Map(dataset.images.map((image) => [image.file, image]));
  const numbers = new Map<string, number>();
  return store.files.map((file) => {
    const key = recordingOf(images.get(file)!);
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return numbers.get(key)!;
  });
}

export interface GenerateSourceOptions {
  readonly engine: Engine;
  readonly checkpoint: Checkpoint;
  readonly weights?: Weights | undefined;
  /** Images of each class. */
  readonly counts: readonly number[];
  readonly seed: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Images generated between two looks at progress and signal. */
const AT_ONCE = 64;

/**
 * Generates images. Throws a UserError if they need more memory than there is, or are no numbers; the signal's reason if it
 * is stopped.
 */
export async function generateSource(options: GenerateSourceOptions): Promise<ImageSource> {
  const { engine: e, checkpoint, weights, counts, seed, onProgress, signal } = options;
  const { size, channels, batch } = checkpoint.config;
  const labels = Int32Array.from(counts.flatMap((count, label) => new Array<number>(count).fill(label)));
  const indices = counts.flatMap((count, label) => Array.from({ length: count }, (_, i) => noiseIndex(label, i)));
  const length = channels * size ** 2;
  const images = allocate(labels.length * length);
  const g = openGenerator(e, checkpoint, weights);
  try {
    for (let start = 0; start < labels.length; start += AT_ONCE) {
      signal?.throwIfAborted();
      const part = labels.subarray(start, start + AT_ONCE);
      const made = await generateImages(e, g, part, { seed, indices: indices.slice(start, start + AT_ONCE), batch });
      images.set(made, start * length);
      onProgress?.(start + part.length, labels.length);
    }
  } finally {
    g.destroy();
  }
  checkNumbers(images, checkpoint);
  return sourceOf(images, labels, size);
}

function allocate(length: number): Float32Array {
  try {
    return new Float32Array(length);
  } catch (error) {
    const gibibytes = ((4 * length) / 2 ** 30).toFixed(1);
    throw new UserError(`So many generated images need ${gibibytes} GiB of memory: ask for fewer, with --count.`, {
      cause: error,
    });
  }
}

/** Some images of a kind, by their numbers. */
export const someOf = ({ source, labels, units, points }: Kind, numbers: readonly number[]): Kind => ({
  source: subsetOf(source, numbers),
  labels: Int32Array.from(numbers, (i) => labels[i]!),
  units: numbers.map((i) => units[i]!),
  points: subset(points, numbers),
});

/** The numbers of the images of a class. */
export const ofClass = ({ labels }: Pick<Kind, 'labels'>, label: number): number[] =>
  [...labels.keys()].filter((i) => labels[i] === label);

/** Images of each class. */
export const countsOf = (labels: Int32Array, classes: number): number[] =>
  Array.from({ length: classes }, (_, label) => labels.filter((each) => each === label).length);
