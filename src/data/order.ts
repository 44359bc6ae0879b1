/**
 * In which order images are drawn, without end. An order is a pure function of the seed and the place in the sequence, so
 * that any step's batch can be named without drawing those before it: ahead of time, or after a stop.
 */

import { createRandom } from '../audio/random.js';

/** The number of the image at a place 0, 1, 2, ... */
export type Order = (place: number) => number;

/** Each pass shows every image once, in an order of its own. */
export function shuffledOrder(count: number, seed: number, name = ''): Order {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const parts = name === '' ? [seed, 'epoch'] : [seed, name, 'epoch'];
  return inBlocks(count, (epoch) => createRandom(...parts, epoch).shuffle(numbers));
}

/**
 * Each class is drawn equally often, however many images it has: every round draws one of each class, in an order of its
 * own, and each class's images come in shuffled passes.
 */
export function balancedOrder(labels: Int32Array, seed: number): Order {
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const members = classes.map((label) => [...labels.keys()].filter((i) => labels[i] === label));
  const orders = classes.map((label, k) => shuffledOrder(members[k]!.length, seed, `class ${label}`));
  const classAt = inBlocks(classes.length, (round) => createRandom(seed, 'round', round).shuffle([...classes.keys()]));
  return (place) => {
    const k = classAt(place);
    return members[k]![orders[k]!(Math.floor(place / classes.length))]!;
  };
}

/** The numbers of block 0, then those of block 1, ...; each block is made when its first place is asked for. */
function inBlocks(length: number, make: (block: number) => readonly number[]): Order {
  let known = -1;
  let block: readonly number[] = [];
  return (place) => {
    const wanted = Math.floor(place / length);
    if (wanted !== known) [known, block] = [wanted, make(wanted)];
    return block[place % length]!;
  };
}
