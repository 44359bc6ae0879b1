/** A data set's images in memory, and batches of them in an order that a seed fixes. */

import { createRandom } from '../audio/random.js';
import { UserError } from '../io/errors.js';
import { insideFolder } from '../io/files.js';
import { readGray } from '../io/image.js';
import type { Dataset } from './read.js';
import type { Part } from './split.js';

/** Images and what they show. */
export interface LabelledImages {
  /** `[count, 1, size, size]`, black -1, white 1. */
  images: Float32Array;
  /** `[count]`, positions in the data set's `classes`. */
  labels: Int32Array;
}

export interface LoadedSplit extends LabelledImages {
  count: number;
  size: number;
  /** Path below the data set of each image. */
  files: string[];
  /** Pictures that could not be read, and why. */
  skipped: { file: string; reason: string }[];
}

/** Images decoded at the same time. */
const CONCURRENT = 8;

/**
 * Loads one part of a data set as greyscale images of `size` * `size`, resized where they differ. A part may be empty.
 * In a folder of pictures, those that cannot be read are left out. Throws a UserError that names an image of a prepared
 * data set which is missing or damaged, or if the images need more memory than there is.
 */
export async function loadSplit(dataset: Dataset, part: Part, size: number): Promise<LoadedSplit> {
  const members = dataset.images.filter((image) => image.split === part);
  const pixels = size * size;
  const images = allocate(members.length * pixels, dataset.dir);
  const faults = new Map<number, string>();
  let next = 0;
  const work = async () => {
    while (next < members.length) {
      const i = next++;
      const gray = await readGray(insideFolder(dataset.dir, members[i]!.file), size).catch((error: unknown) => {
        faults.set(i, faultOf(dataset, members[i]!.file, error));
      });
      if (gray) for (let p = 0; p < pixels; p++) images[i * pixels + p] = gray[p]! / 127.5 - 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  const kept = [...members.keys()].filter((i) => !faults.has(i));
  for (const [to, from] of kept.entries()) images.copyWithin(to * pixels, from * pixels, (from + 1) * pixels);
  return {
    images: images.subarray(0, kept.length * pixels),
    labels: Int32Array.from(kept, (i) => dataset.classes.indexOf(members[i]!.label)),
    count: kept.length,
    size,
    files: kept.map((i) => members[i]!.file),
    skipped: [...faults].sort(([i], [j]) => i - j).map(([i, reason]) => ({ file: members[i]!.file, reason })),
  };
}

/** Why a picture is left out. Throws if it has to be there, or if the fault is not the picture's. */
function faultOf({ dir, parameters }: Dataset, file: string, error: unknown): string {
  if (!(error instanceof UserError)) throw error;
  const path = `"${insideFolder(dir, file)}" `;
  if (!parameters) return error.message.startsWith(path) ? error.message.slice(path.length) : error.message;
  throw new UserError(
    `"${dir}" lists an image, "${file}", that is missing or damaged. Remove that file if it is there, then prepare the data ` +
      `set again, which makes it anew. (${error.message})`,
    { cause: error },
  );
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

/** Where a loader is: the batches drawn from here on follow from this and the seed alone. */
export interface LoaderState {
  /** Passes through the images, from 0. */
  epoch: number;
  /** Images of this pass that were already drawn. */
  position: number;
}

export interface Loader {
  /** The next batch, `[batch, 1, size, size]` and `[batch]`: fresh arrays, always full. */
  next(): LabelledImages;
  state(): LoaderState;
  restore(state: LoaderState): void;
  /** Batches in one pass, rounded up. */
  batchesPerEpoch: number;
}

/**
 * Draws batches without end. Each pass shows every image once, in an order that depends on the seed and the pass only;
 * a batch that reaches the end of a pass is filled from the next one. So a resumed run draws what it would have drawn.
 */
export function createLoader({
  images,
  labels,
  batch,
  seed,
}: LabelledImages & { batch: number; seed: number }): Loader {
  const count = labels.length;
  if (count === 0) throw new UserError('There are no images to train on: this part of the data set is empty.');
  if (!Number.isInteger(batch) || batch < 1) throw new UserError(`The batch size (${batch}) must be 1 or more.`);
  const pixels = images.length / count;
  const indices = Array.from({ length: count }, (_, i) => i);
  const orderOf = (epoch: number) => createRandom(seed, 'epoch', epoch).shuffle(indices);

  let state: LoaderState = { epoch: 0, position: 0 };
  let order = orderOf(0);
  const draw = (): number => {
    if (state.position === count) {
      state = { epoch: state.epoch + 1, position: 0 };
      order = orderOf(state.epoch);
    }
    const drawn = order[state.position]!;
    state = { ...state, position: state.position + 1 };
    return drawn;
  };
  return {
    batchesPerEpoch: Math.ceil(count / batch),
    next() {
      const drawn = { images: new Float32Array(batch * pixels), labels: new Int32Array(batch) };
      for (let k = 0; k < batch; k++) {
        const i = draw();
        drawn.images.set(images.subarray(i * pixels, (i + 1) * pixels), k * pixels);
        drawn.labels[k] = labels[i]!;
      }
      return drawn;
    },
    state: () => state,
    restore(saved) {
      if (!(saved.position >= 0 && saved.position <= count) || !(saved.epoch >= 0)) {
        throw new UserError(
          `The saved place in the data (image ${saved.position} of pass ${saved.epoch}) is not in a set of ${count} ` +
            'images: resume with the data set that the run began with.',
        );
      }
      state = { epoch: saved.epoch, position: saved.position };
      order = orderOf(state.epoch);
    },
  };
}
