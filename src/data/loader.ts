/** Batches of a data set's images, in an order that a seed fixes, made ready before they are asked for. */

import { UserError } from '../io/errors.js';
import { balancedOrder, type Order, shuffledOrder } from './order.js';
import type { Part } from './parts.js';
import type { Dataset } from './read.js';
import { type ImageSource, type ImageStore, openImages, type StoreOptions } from './store.js';

/** Images and what they show. */
export interface LabelledImages {
  /** `[count, channels, size, size]`, black -1, white 1. */
  images: Float32Array;
  /** `[count]`, positions in the data set's `classes`. */
  labels: Int32Array;
}

export interface LoaderOptions {
  source: ImageSource;
  batch: number;
  seed: number;
  /** Draws each class equally often, instead of each image. Default false. */
  balanced?: boolean;
  /**
   * Changes image k of step t's batch, `[channels, size, size]`, in place; what it draws must follow from t and k, so that
   * a resumed run sees the same.
   */
  augment?: (image: Float32Array, step: number, k: number) => void;
  /** Batches that are made ready while a step runs. Default 2. */
  ahead?: number;
}

export interface Loader {
  /**
   * The batch of step 0, 1, 2, ...: fresh arrays, always full. Usually it is ready; the next ones are then begun. Throws a
   * UserError if an image that was there at the beginning can no longer be read.
   */
  batch(step: number): Promise<LabelledImages>;
  /** Milliseconds that callers have waited for batches in all. */
  waited(): number;
  /** Batches in one pass over as many images as there are, rounded up. */
  batchesPerEpoch: number;
}

/**
 * Draws batches without end. Which images a step sees follows from the seed and the step alone, so a resumed run draws what
 * it would have drawn. Each pass shows every image once (or each class equally often); a batch that reaches the end of a pass
 * is filled from the next one. Throws a UserError if there are no images, or for a batch of less than 1.
 */
export function createLoader(options: LoaderOptions): Loader {
  const { source, batch, seed, balanced = false, augment, ahead = 2 } = options;
  const count = source.labels.length;
  if (count === 0) throw new UserError('There are no images to train on: this part of the data set is empty.');
  if (!Number.isInteger(batch) || batch < 1) throw new UserError(`The batch size (${batch}) must be 1 or more.`);
  const order: Order = balanced ? balancedOrder(source.labels, seed) : shuffledOrder(count, seed);

  const make = async (step: number): Promise<LabelledImages> => {
    const drawn = Array.from({ length: batch }, (_, k) => order(step * batch + k));
    const made = await gather(source, drawn);
    const length = made.images.length / batch;
    for (let k = 0; augment && k < batch; k++) augment(made.images.subarray(k * length, (k + 1) * length), step, k);
    return made;
  };
  const ready = new Map<number, Promise<LabelledImages>>();
  const begin = (step: number): Promise<LabelledImages> => {
    // Not before the step that asked has been sent to the GPU: both are this thread's work.
    const making = new Promise((resolve) => setImmediate(resolve)).then(() => make(step));
    making.catch(() => undefined); // thrown when its turn comes; a failure that nobody awaits yet would end the process
    return making;
  };
  let waited = 0;
  return {
    batchesPerEpoch: Math.ceil(count / batch),
    async batch(step) {
      const from = performance.now();
      const made = await (ready.get(step) ?? make(step));
      waited += performance.now() - from;
      for (const old of ready.keys()) if (old <= step || old > step + ahead) ready.delete(old);
      for (let next = step + 1; next <= step + ahead; next++) if (!ready.has(next)) ready.set(next, begin(next));
      return made;
    },
    waited: () => waited,
  };
}

/** All images of a source in their order, `batch` at a time; the last batch may be short. */
export async function* inOrder(source: ImageSource, batch: number): AsyncGenerator<LabelledImages> {
  const numbers = Array.from(source.labels.keys());
  const part = (start: number) => gather(source, numbers.slice(start, start + batch));
  let next = numbers.length > 0 ? part(0) : undefined;
  for (let start = 0; next; start += batch) {
    const made = await next;
    next = start + batch < numbers.length ? part(start + batch) : undefined;
    next?.catch(() => undefined);
    yield made;
  }
}

async function gather(source: ImageSource, numbers: readonly number[]): Promise<LabelledImages> {
  const length = source.channels * source.size ** 2;
  const images = new Float32Array(numbers.length * length);
  await Promise.all(numbers.map((i, k) => source.read(i, images.subarray(k * length, (k + 1) * length))));
  return { images, labels: Int32Array.from(numbers, (i) => source.labels[i]!) };
}

export interface LoadedSplit extends LabelledImages, Pick<ImageStore, 'files' | 'skipped'> {
  count: number;
  size: number;
}

/**
 * One part of a data set whole, in memory. Pictures that cannot be read are left out, and listed. Throws a UserError if
 * the images need more memory than there is.
 */
export async function loadSplit(
  dataset: Dataset,
  part: Part,
  size: number,
  options: Omit<StoreOptions, 'size'> = {},
): Promise<LoadedSplit> {
  const store = await openImages(dataset, part, { ...options, size });
  const { files, skipped, labels, channels } = store;
  const length = channels * size ** 2;
  const images = allocate(labels.length * length, dataset.dir);
  for (const i of labels.keys()) await store.read(i, images.subarray(i * length, (i + 1) * length));
  return { images, labels, count: labels.length, size, files, skipped };
}

function allocate(length: number, dir: string): Float32Array {
  try {
    return new Float32Array(length);
  } catch (error) {
    const gibibytes = ((4 * length) / 2 ** 30).toFixed(1);
    throw new UserError(`The images of "${dir}" need ${gibibytes} GiB of memory: choose a smaller image size.`, {
      cause: error,
    });
  }
}
