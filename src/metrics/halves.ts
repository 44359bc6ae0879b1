/** A set of real images in two halves: what one half is to the other is the best that a generator can be to either. */
import type { Random } from '../audio/random.js';
import { membersOf, type Units } from './bootstrap.js';

export interface Halves {
  /** Numbers of images. */
  readonly first: number[];
  readonly second: number[];
  /** Classes of a single unit, which had to be cut: their halves resemble each other more than new images would. */
  readonly cut: number[];
}

/** Halves each class, unit by unit, as evenly as these allow. `labels` and `units` [count]. */
export function halve(labels: Int32Array, units: Units, random: Random): Halves {
  const [first, second, cut]: [number[], number[], number[]] = [[], [], []];
  for (const label of [...new Set(labels)].sort((a, b) => a - b)) {
    const members = [...labels.keys()].filter((i) => labels[i] === label);
    let groups = membersOf(members.map((i) => units[i]!)).map((group) => group.map((place) => members[place]!));
    if (groups.length === 1 && members.length > 1) {
      cut.push(label);
      groups = members.map((i) => [i]);
    }
    // The largest first, each to the half that has less of the class so far.
    const sorted = random.shuffle(groups).sort((a, b) => b.length - a.length);
    let lead = 0;
    for (const group of sorted) {
      (lead <= 0 ? first : second).push(...group);
      lead += lead <= 0 ? group.length : -group.length;
    }
  }
  return { first, second, cut };
}
