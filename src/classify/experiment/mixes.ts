/** What classifiers are trained on: real images, generated ones, and which of those. */
import { type ImageSource, subsetOf } from '../../data/store.js';
import type { Mix } from './config.js';

/** Generated images that a mix takes of each class, if so many of each are there to train on. */
export function takenOf({ synthetic }: Pick<Mix, 'synthetic'>, training: readonly number[]): number[] {
  if (synthetic !== 'balance') return training.map(() => synthetic);
  const most = Math.max(...training);
  return training.map((count) => most - count);
}

/** Images to generate of each class, so that there are enough for every mix. */
export const generatedFor = (mixes: readonly Mix[], training: readonly number[]): number[] =>
  training.map((_, label) => Math.max(0, ...mixes.map((mix) => mix.candidates * takenOf(mix, training)[label]!)));

/**
 * What a mix takes of a pool of generated images, as numbers in it: of each class the first, or, of so many candidates for each,
 * those whose class is most probable by `probabilities` [images, classes].
 */
export function chosenOf(
  labels: Int32Array,
  mix: Mix,
  training: readonly number[],
  probabilities?: Float64Array,
): number[] {
  const classes = training.length;
  return takenOf(mix, training).flatMap((count, label) => {
    const members = [...labels.keys()].filter((i) => labels[i] === label).slice(0, mix.candidates * count);
    if (!probabilities) return members.slice(0, count);
    const sureness = (i: number): number => probabilities[i * classes + label]!;
    // Equal ones stay in their order.
    return members.sort((a, b) => sureness(b) - sureness(a)).slice(0, count);
  });
}

/** Those images of the pool; undefined if they are none. */
export const sourceOfChosen = (pool: ImageSource, numbers: readonly number[]): ImageSource | undefined =>
  numbers.length > 0 ? subsetOf(pool, numbers) : undefined;

/** In words. */
export function describeMix({ real, synthetic, candidates, augment }: Mix): string {
  const generated =
    synthetic === 'balance'
      ? 'generated images where a class has fewer than the commonest'
      : `${synthetic} generated images of each class`;
  const chosen =
    candidates > 1 ? `, those of ${candidates} times as many in which the network sees their class most clearly` : '';
  const parts = [
    ...(real ? ['the training recordings'] : []),
    ...(synthetic === 0 ? [] : [generated + chosen]),
    ...(augment.length > 0 ? [`changed by ${augment.join(', ')}`] : []),
  ];
  return parts.join(', ');
}
