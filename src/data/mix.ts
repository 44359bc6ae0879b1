/** Several sources of images as one: real images and generated ones. */
import { UserError } from '../io/errors.js';
import type { Dataset } from './read.js';
import type { ImageSource } from './store.js';

/** All images of all sources, in their order. Throws a RangeError if they are not of one size and number of channels. */
export function mixSources(sources: readonly ImageSource[]): ImageSource {
  const [first] = sources;
  if (!first) throw new RangeError('mixSources: there are no sources');
  const { size, channels } = first;
  const other = sources.find((source) => source.size !== size || source.channels !== channels);
  if (other) {
    throw new RangeError(
      `mixSources: images of ${size} pixels and ${channels} channels do not mix with ${other.size} and ${other.channels}`,
    );
  }
  const places = sources.flatMap((source) => Array.from({ length: source.labels.length }, (_, i) => ({ source, i })));
  return {
    size,
    channels,
    labels: Int32Array.from(places, ({ source, i }) => source.labels[i]!),
    read: (n, to) => places[n]!.source.read(places[n]!.i, to),
  };
}

/**
 * A data set whose images are all to be trained on, numbered by the classes of another: what was generated for that one.
 * Throws a UserError if it has a class that the other lacks.
 */
export function trainingOnly(dataset: Dataset, classes: readonly string[]): Dataset {
  const unknown = dataset.classes.find((label) => !classes.includes(label));
  if (unknown !== undefined) {
    throw new UserError(
      `"${dataset.dir}" has the class "${unknown}", which is not one of those that are told apart (${classes.join(', ')}).`,
    );
  }
  return { ...dataset, classes: [...classes], images: dataset.images.map((image) => ({ ...image, split: 'train' })) };
}
