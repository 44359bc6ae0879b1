/** Part of what is trained on, kept back to see when to stop: whole recordings, so that the rest knows nothing of them. */
import type { Dataset } from './read.js';
import { splitRecordings } from './split.js';
import { type ImageSource, type ImageStore, subsetOf } from './store.js';

export interface KeptBack {
  readonly train: ImageSource;
  readonly validation: ImageSource;
}

/** Keeps `share` of the recordings of each class back, as `seed` says. */
export function keepBack(dataset: Dataset, store: ImageStore, share: number, seed: number): KeptBack {
  const images = new Map(dataset.images.map((image) => [image.file, image]));
  const fractions = { train: 1 - share, validation: share, test: 0 };
  const items = store.files.map((file) => images.get(file)!);
  const split = splitRecordings(items, { fractions, seed });
  const of = (part: string): ImageSource =>
    subsetOf(
      store,
      [...store.labels.keys()].filter((i) => split.parts[i] === part),
    );
  return { train: of('train'), validation: of('validation') };
}
