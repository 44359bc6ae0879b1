/** A few repetitions of one thing, and of two things side by side: means, and how sure they are by Student's t. */
import type { Difference, Spread } from '../io/ablation.js';

/** Throws a RangeError without any values. */
export function spreadOf(values: readonly number[]): Spread {
  const count = values.length;
  if (count === 0) throw new RangeError('no values have no mean');
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (count - 1)), count };
}

/**
 * By how much `a` lies above `b`, pair by pair: what the members of a pair share (a seed) falls out. The interval is the mean
 * +- t s / sqrt(n), with s the deviation of the n differences. Where these are all the same, as shares of few images can be, s
 * would be 0 and any difference beyond doubt: then there is no interval. Throws a RangeError unless both are of one length,
 * above 0.
 */
export function pairedDifference(a: readonly number[], b: readonly number[]): Difference {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} values are no pairs`);
  const { mean, deviation, count } = spreadOf(a.map((value, i) => value - b[i]!));
  const rounding = 1e-9 * Math.max(...a.map(Math.abs), ...b.map(Math.abs));
  if (deviation === undefined || deviation <= rounding) return { mean, count };
  const reach = (studentQuantile(count - 1) * deviation) / Math.sqrt(count);
  return { mean, interval: [mean - reach, mean + reach], count };
}

/** t such that Student's T of so many degrees of freedom has |T| <= t with a chance of 0.95. */
export function studentQuantile(degrees: number, chance = 0.95): number {
  let [low, high] = [0, 1];
  while (within(high, degrees) < chance) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (within(middle, degrees) < chance) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The chance that |T| <= t, by the finite series in theta = atan(t / sqrt(n)): Abramowitz and Stegun 1964, 26.7.3 and 26.7.4. */
function within(t: number, degrees: number): number {
  const theta = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  const isOdd = degrees % 2 === 1;
  let [term, sum] = isOdd ? [cosine, 0] : [1, 0];
  for (let k = isOdd ? 1 : 0; k <= degrees - 2; k += 2) {
    sum += term;
    term *= ((k + 1) / (k + 2)) * cosine ** 2;
  }
  return isOdd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
}
