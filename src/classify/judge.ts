/** What a classifier says of images, and what that is worth, window by window and recording by recording. */
import type { ImageSource } from '../data/store.js';
import type { Engine } from '../kernel/engine.js';
import { membersOf, quantile, type Units } from '../metrics/bootstrap.js';
import { type Classification, classification, pooled, softmaxRows } from '../metrics/classification.js';
import { argmaxRows } from '../metrics/confusion.js';
import type { Layer } from '../nn/module.js';
import type { Network } from '../nn/network.js';
import { outputsOf } from '../train/outputs.js';

/** Probabilities [count, classes] of a source's images. */
export async function probabilitiesOf(
  e: Engine,
  { module }: Network<Layer>,
  source: ImageSource,
  classes: number,
): Promise<Float64Array> {
  return softmaxRows(await outputsOf(e, module, module.forward.bind(module), source), classes);
}

export interface Judged {
  readonly windows: Classification;
  /** Of the mean probabilities of each recording's windows that have one label. */
  readonly recordings: Classification;
}

/** Judges probabilities [count, classes] of images of which `units` says whose they are; count at least 1. */
export function judgeClassifier(
  probabilities: Float64Array,
  labels: Int32Array,
  units: Units,
  classes: number,
): Judged {
  const members = membersOf(Array.from(labels, (label, i) => units[i]! * classes + label));
  const ofRecordings = Int32Array.from(members, ([first]) => labels[first!]!);
  return {
    windows: classification(probabilities, labels, classes),
    recordings: classification(pooled(probabilities, classes, members), ofRecordings, classes),
  };
}

/** Share of what is named rightly that stays above the threshold. */
const KEPT = 0.95;

/**
 * The probability below which what is heard is called unknown: 95 % of the windows of the validation part that are named
 * rightly lie above it. Null where none are.
 */
export function chooseThreshold(probabilities: Float64Array, labels: Int32Array, classes: number): number | null {
  const named = argmaxRows(probabilities, classes);
  const right = [...labels.keys()].filter((i) => named[i] === labels[i]);
  if (right.length === 0) return null;
  return quantile(
    right.map((i) => probabilities[i * classes + named[i]!]!),
    1 - KEPT,
  );
}
