/** Whether one thing does better than another on the same recordings: a bootstrap and a permutation of pairs, and Holm's correction of many such tests. */
import type { Random } from '../audio/random.js';
import { type Interval, quantile } from './bootstrap.js';

/** What is drawn as a whole: a recording. */
export interface Pair {
  /** Its windows. */
  readonly points: number;
  /** How many more of them the one has right than the other; negative: fewer. */
  readonly difference: number;
}

export interface PairedTest {
  /** Difference of the shares that are right, over all windows. */
  readonly mean: number;
  /** 95 %, by drawing recordings; both are missing of fewer than two. */
  readonly interval?: Interval;
  /** Two-sided: how often the difference is as large when it is by chance which of the two had which result. */
  readonly p?: number;
  readonly recordings: number;
  readonly windows: number;
}

const REPLICATES = 10_000;

/** Undefined without windows. */
export function pairedTest(pairs: readonly Pair[], random: Random): PairedTest | undefined {
  const windows = pairs.reduce((sum, { points }) => sum + points, 0);
  if (windows === 0) return undefined;
  const mean = pairs.reduce((sum, { difference }) => sum + difference, 0) / windows;
  const test = pairs.length < 2 ? undefined : drawn(pairs, random);
  return { mean, ...test, recordings: pairs.length, windows };
}

/**
 * Draws as many pairs as there are, again and again, for the interval; for the chance, which holds for few pairs too, swaps the two
 * things in each pair or not (a paired permutation test).
 */
function drawn(pairs: readonly Pair[], random: Random): { interval: Interval; p: number } {
  const observed = Math.abs(pairs.reduce((sum, { difference }) => sum + difference, 0));
  let extreme = 0;
  const values = Float64Array.from({ length: REPLICATES }, () => {
    let [points, difference, swapped] = [0, 0, 0];
    for (const { difference: own } of pairs) {
      const pair = pairs[random.integer(pairs.length)]!;
      points += pair.points;
      difference += pair.difference;
      swapped += random.next() < 0.5 ? own : -own;
    }
    if (Math.abs(swapped) >= observed) extreme++;
    return difference / points;
  });
  return {
    interval: [quantile(values, 0.025), quantile(values, 0.975)],
    p: (extreme + 1) / (REPLICATES + 1),
  };
}

/** Holm 1979: chances corrected for there being so many tests, in the order given. Below 0.05 none is by chance, with 95 % confidence in all. */
export function holm(chances: readonly number[]): number[] {
  const order = [...chances.keys()].sort((a, b) => chances[a]! - chances[b]!);
  const corrected = new Array<number>(chances.length);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (chances.length - rank) * chances[i]!));
    corrected[i] = largest;
  }
  return corrected;
}
