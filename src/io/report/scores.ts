/** What a number of right answers says: its accuracy, how sure that is, and whether guessing would do as well. */

export interface Score {
  correct: number;
  total: number;
  /** `confusion[trueClass][namedClass]`: how many images of one class were given the name of another. */
  confusion: readonly (readonly number[])[];
}

export interface Judgement {
  accuracy: number;
  /** Wilson's 95 % interval of the accuracy. */
  interval: readonly [low: number, high: number];
  /** What always naming the commonest class would get right, which no guess without looking can pass. */
  chance: number;
  /** How likely guessing would be to get as many right, or more. */
  pValue: number;
  isAboveChance: boolean;
}

/** Guessing must be this unlikely to do as well before a score is called better than chance. */
const significance = 0.01;

/** Undefined where there was nothing to judge. */
export function judge({ correct, total, confusion }: Score): Judgement | undefined {
  if (total === 0) return undefined;
  const chance = Math.max(...confusion.map((row) => sum(row))) / sum(confusion.flat());
  const pValue = binomialTail(correct, total, chance);
  const interval = wilsonInterval(correct, total);
  return { accuracy: correct / total, interval, chance, pValue, isAboveChance: pValue < significance };
}

/** The 95 % confidence interval of a share, by Wilson's formula, which holds for few and for extreme counts. */
export function wilsonInterval(correct: number, total: number): [low: number, high: number] {
  const z = 1.959964;
  const share = correct / total;
  const centre = (share + z ** 2 / (2 * total)) / (1 + z ** 2 / total);
  const spread = (z * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2))) / (1 + z ** 2 / total);
  return [Math.max(0, centre - spread), Math.min(1, centre + spread)];
}

/** P(X >= successes) of X ~ Binomial(trials, p). */
export function binomialTail(successes: number, trials: number, p: number): number {
  if (successes <= 0 || p >= 1) return 1;
  if (p <= 0) return 0;
  // Logarithms: single terms may be smaller than any float64.
  let log = successes * Math.log(p) + (trials - successes) * Math.log1p(-p);
  for (let i = 1; i <= successes; i++) log += Math.log((trials - successes + i) / i);
  let tail = 0;
  for (let k = successes; k <= trials; k++) {
    tail += Math.exp(log);
    log += Math.log((trials - k) / (k + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return Math.min(1, tail);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
