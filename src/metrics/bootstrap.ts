/** How sure a number is: intervals by drawing the data again and again, with replacement (Efron and Tibshirani 1993). */
import type { Random } from '../audio/random.js';

/** Between which bounds the number lies in 95 % of the draws. */
export type Interval = readonly [low: number, high: number];

/**
 * What is drawn as a whole: points of equal numbers belong together, as images of one recording do, which resemble each
 * other and so are worth less than as many of different ones. [points], any numbers.
 */
export type Units = ArrayLike<number>;

/** Every point by itself. */
export const singles = (count: number): Units => Array.from({ length: count }, (_, i) => i);

export interface BootstrapOptions {
  readonly random: Random;
  /** Default 1000. */
  readonly replicates?: number;
  /**
   * Shifts the interval so that the draws' median comes to this value. For distances between samples: a draw, with its
   * repeats, is further from another than the samples themselves are.
   */
  readonly centre?: number;
}

/**
 * The interval of `statistic`, which is given the points drawn of each sample, as indices. Undefined where it cannot be told:
 * a sample has a single unit, or the statistic was not finite in a tenth of the draws.
 */
export function bootstrap(
  samples: readonly Units[],
  statistic: (draws: readonly Int32Array[]) => number,
  { random, replicates = 1000, centre }: BootstrapOptions,
): Interval | undefined {
  const members = samples.map(membersOf);
  if (members.some((units) => units.length < 2)) return undefined;
  const values = Array.from({ length: replicates }, () => statistic(members.map((units) => draw(units, random))));
  const finite = values.filter(Number.isFinite);
  if (finite.length < 0.9 * replicates) return undefined;
  const shift = centre === undefined ? 0 : centre - quantile(finite, 0.5);
  return [quantile(finite, 0.025) + shift, quantile(finite, 0.975) + shift];
}

/** The interval of the mean of values [points]. */
export function bootstrapMean(values: Float64Array, units: Units, options: BootstrapOptions): Interval | undefined {
  const meanOf = ([drawn]: readonly Int32Array[]): number =>
    drawn!.reduce((sum, i) => sum + values[i]!, 0) / drawn!.length;
  return bootstrap([units], meanOf, options);
}

/**
 * The interval of a share: of the mean of values [points] that are 0 or 1. Where all are alike every draw is, too, and says
 * nothing; then it is the exact interval of as many tries as there are units (Clopper and Pearson 1934).
 */
export function bootstrapShare(hits: Float64Array, units: Units, options: BootstrapOptions): Interval | undefined {
  const tries = membersOf(units).length;
  if (tries < 2 || hits.some((hit) => hit !== hits[0])) return bootstrapMean(hits, units, options);
  const furthest = 0.025 ** (1 / tries);
  return hits[0] === 1 ? [furthest, 1] : [0, 1 - furthest];
}

/** How often each of `count` points was drawn. */
export function countsOf(draws: Int32Array, count: number): Float64Array {
  const counts = new Float64Array(count);
  for (const i of draws) counts[i]!++;
  return counts;
}

/** At most `size` of the numbers below `count`, without repeats; all in their order if there are no more. */
export function choose(count: number, size: number, random: Random): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  return count <= size ? all : random.shuffle(all).slice(0, size);
}

/** The value below which a share of the values lies, between neighbours in a straight line. Throws a RangeError without any. */
export function quantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) throw new RangeError('no values have no quantile');
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}

/** The indices of each unit's points. */
export function membersOf(units: Units): number[][] {
  const members = new Map<number, number[]>();
  for (let i = 0; i < units.length; i++) {
    const known = members.get(units[i]!);
    if (known) known.push(i);
    else members.set(units[i]!, [i]);
  }
  return [...members.values()];
}

/** As many units as there are, with replacement: their points. */
const draw = (units: readonly number[][], random: Random): Int32Array =>
  Int32Array.from(units.flatMap(() => random.pick(units)));
