/**
 * Classifiers as judges of a generator (Shmelkov et al. 2018, "How good is my GAN?"), all of one network, the feature network:
 *
 *   GAN-train   trained on generated images, tested on held-out real ones: is there enough in them to learn from?
 *   GAN-test    trained on real images, tested on generated ones: are they what their labels say?
 *   real        trained on real images, tested on held-out ones: what both are to be compared with
 *
 * GAN-test above the real value means that generated images are easier than real ones, or copies of the training images.
 */
import { subsetOf } from '../data/store.js';
import type { AccuracyMeasures, Evaluation } from '../io/evaluation.js';
import type { Engine } from '../kernel/engine.js';
import { measureMean } from '../metrics/compare.js';
import { hits } from '../metrics/confusion.js';
import type { FeatureNet } from '../models/featureNet.js';
import type { Network } from '../nn/network.js';
import type { EpochRecord } from './classifier.js';
import { type FeatureSpace, trainFeatures } from './features.js';
import { countsOf, type Kind, type Kinds, ofClass } from './kinds.js';
import { outputsOf, scoreLogits } from './outputs.js';

/** Of each class's generated images, to see when to stop. */
const KEPT_BACK = 0.15;

export interface AccuracyOptions {
  readonly engine: Engine;
  readonly classes: number;
  readonly seed: number;
  readonly onEpoch?: (record: EpochRecord, epochs: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Trains the classifier of GAN-train, unless there is nothing to test it on. */
export async function measureAccuracy(
  space: FeatureSpace,
  { heldOut, generated }: Kinds,
  options: AccuracyOptions,
): Promise<Evaluation['accuracy']> {
  const { engine: e, classes, seed, onEpoch, signal } = options;
  const tested = (network: Network<FeatureNet>, kind: Kind) => accuracyOf(e, network, kind, classes, seed);
  const real = await tested(space.network, heldOut);
  const ganTest = await tested(space.network, generated);
  const commonest = Math.max(...countsOf(heldOut.labels, classes));
  const chance = heldOut.labels.length > 0 ? commonest / heldOut.labels.length : 0;
  if (heldOut.labels.length === 0) return { chance, real, ganTrain: real, ganTest };

  const keptBack = Array.from({ length: classes }, (_, label) => {
    const numbers = ofClass(generated, label);
    return numbers.slice(Math.ceil((1 - KEPT_BACK) * numbers.length));
  }).flat();
  const apart = new Set(keptBack);
  const { network } = await trainFeatures(e, {
    train: subsetOf(
      generated.source,
      [...generated.labels.keys()].filter((i) => !apart.has(i)),
    ),
    validation: subsetOf(generated.source, keptBack),
    classes,
    seed,
    onEpoch,
    signal,
  });
  const ganTrain = await tested(network, heldOut);
  network.destroy();
  return { chance, real, ganTrain, ganTest };
}

/** How many of a kind's images a classifier names right. */
export async function accuracyOf(
  e: Engine,
  { module }: Network<FeatureNet>,
  kind: Kind,
  classes: number,
  seed: number,
): Promise<AccuracyMeasures> {
  const { source, labels, units } = kind;
  if (labels.length === 0) {
    const none = { reason: 'there are no held-out images' };
    return { overall: none, perClass: new Array<typeof none>(classes).fill(none) };
  }
  const { named } = scoreLogits(await outputsOf(e, module, module.forward.bind(module), source), labels);
  const right = hits(labels, named);
  const among = (numbers: readonly number[]) =>
    measureMean(
      Float64Array.from(numbers, (i) => right[i]!),
      numbers.map((i) => units[i]!),
      seed,
    );
  return {
    overall: among([...labels.keys()]),
    perClass: Array.from({ length: classes }, (_, label) => among(ofClass(kind, label))),
  };
}
