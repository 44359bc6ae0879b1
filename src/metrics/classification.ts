/**
 * What a classifier's answers are worth: accuracy, precision, recall and F1 of each class and their means (macro), how often
 * the right class is among the first three, and whether its probabilities mean what they say (calibration; Guo et al. 2017).
 */
import { argmaxRows, confusionMatrix } from './confusion.js';

export interface ClassScore {
  /** Images of the class. */
  readonly count: number;
  /** Of what is named so, the share that is so; 0 where nothing is. */
  readonly precision: number;
  /** Of what is so, the share that is named so; 0 where nothing is. */
  readonly recall: number;
  /** Harmonic mean of both. */
  readonly f1: number;
}

/** What was said with a confidence between two bounds. */
export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Means; 0 of none. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Classification {
  readonly count: number;
  readonly accuracy: number;
  /** How often the right class is among the three most probable. */
  readonly top3: number;
  /** Means over the classes that have images. */
  readonly macro: Omit<ClassScore, 'count'>;
  readonly perClass: readonly ClassScore[];
  /** [true class][named class]. */
  readonly confusion: readonly (readonly number[])[];
  /** Expected calibration error: mean distance of confidence and accuracy over the bins, by their counts. */
  readonly calibrationError: number;
  readonly bins: readonly CalibrationBin[];
}

/** Rows [count, classes] of logits to probabilities, in float64; a row that is not of numbers to equal ones. */
export function softmaxRows(logits: ArrayLike<number>, classes: number): Float64Array {
  const result = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, logits[start + k]!);
    let total = 0;
    for (let k = 0; k < classes; k++) total += result[start + k] = Math.exp(logits[start + k]! - largest);
    // Dynamic convolutions can overflow on an image unlike all that was trained on: then nothing is known of it.
    for (let k = 0; k < classes; k++) {
      result[start + k] = Number.isFinite(total) ? result[start + k]! / total : 1 / classes;
    }
  }
  return result;
}

/** Mean probabilities of what belongs together, such as the windows of a recording: one row a unit, in the order of `units`. */
export function pooled(
  probabilities: Float64Array,
  classes: number,
  units: readonly (readonly number[])[],
): Float64Array {
  const result = new Float64Array(units.length * classes);
  for (const [u, members] of units.entries()) {
    for (const i of members) {
      for (let k = 0; k < classes; k++) result[u * classes + k]! += probabilities[i * classes + k]! / members.length;
    }
  }
  return result;
}

/** Judges probabilities [count, classes] by labels [count]; count at least 1. */
export function classification(
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
  bins = 10,
): Classification {
  const named = argmaxRows(probabilities, classes);
  const confusion = confusionMatrix(labels, named, classes);
  const perClass = confusion.map((row, k): ClassScore => {
    const right = row[k]!;
    const count = sum(row);
    const precision = ratio(right, sum(confusion.map((other) => other[k]!)));
    const recall = ratio(right, count);
    return { count, precision, recall, f1: ratio(2 * precision * recall, precision + recall) };
  });
  const present = perClass.filter(({ count }) => count > 0);
  const over = (value: (score: ClassScore) => number): number => sum(present.map(value)) / present.length;
  const count = labels.length;
  const calibration = calibrationBins(probabilities, labels, named, classes, bins);
  return {
    count,
    accuracy: sum(confusion.map((row, k) => row[k]!)) / count,
    top3: labels.filter((label, i) => rankOf(probabilities, i, label, classes) < 3).length / count,
    macro: { precision: over((s) => s.precision), recall: over((s) => s.recall), f1: over((s) => s.f1) },
    perClass,
    confusion,
    calibrationError: sum(calibration.map((bin) => (bin.count / count) * Math.abs(bin.confidence - bin.accuracy))),
    bins: calibration,
  };
}

/** Classes that row i takes for more probable than `label`; of equal ones the first counts as more. */
function rankOf(probabilities: Float64Array, i: number, label: number, classes: number): number {
  const own = probabilities[i * classes + label]!;
  let rank = 0;
  for (let k = 0; k < classes; k++) {
    const other = probabilities[i * classes + k]!;
    if (other > own || (other === own && k < label)) rank++;
  }
  return rank;
}

function calibrationBins(
  probabilities: Float64Array,
  labels: Int32Array,
  named: Int32Array,
  classes: number,
  bins: number,
): CalibrationBin[] {
  const tally = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, right: 0 }));
  labels.forEach((label, i) => {
    const confidence = probabilities[i * classes + named[i]!]!;
    const bin = tally[Math.min(bins - 1, Math.floor(confidence * bins))]!;
    bin.count++;
    bin.confidence += confidence;
    if (named[i] === label) bin.right++;
  });
  return tally.map(({ count, confidence, right }, b) => ({
    low: b / bins,
    high: (b + 1) / bins,
    count,
    confidence: ratio(confidence, count),
    accuracy: ratio(right, count),
  }));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
