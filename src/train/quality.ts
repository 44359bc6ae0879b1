/**
 * How good a run's generator is: its images beside the training images, in the run's feature space (features.ts), with what
 * real images give in the same place; classifiers that judge them (ganAccuracy.ts); and the training images nearest to them
 * (nearestTraining.ts).
 */
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createRandom } from '../audio/random.js';
import type { Dataset } from '../data/read.js';
import { describeSkipped, openImages } from '../data/store.js';
import { UserError } from '../io/errors.js';
import type { Comparison, ComparisonGroup, Evaluation } from '../io/evaluation.js';
import type { Engine } from '../kernel/engine.js';
import { compare } from '../metrics/compare.js';
import { neighbourSearch } from '../metrics/gpuNeighbours.js';
import { type Halves, halve } from '../metrics/halves.js';
import { type Checkpoint, type Weights, weightsOf } from './checkpoint.js';
import type { EpochRecord } from './classifier.js';
import { type FeatureInfo, openFeatures } from './features.js';
import { measureAccuracy } from './ganAccuracy.js';
import { countsOf, generatedKind, generateSource, type Kind, type Kinds, ofClass, realKind, someOf } from './kinds.js';
import { nearestTraining } from './nearestTraining.js';

/** The parts of the work, in their order. */
export type Stage = 'generate' | 'features' | 'compare' | 'GAN-train';

export interface QualityOptions {
  readonly engine: Engine;
  /** The run's folder: the feature network is kept there. */
  readonly run: string;
  readonly dataset: Dataset;
  readonly checkpoint: Checkpoint;
  /** Of the generator. Default: the average, if there is one. */
  readonly weights?: Weights | undefined;
  /** Images to generate of each class. Default: as many as there are to train on, a thousand in all at most. */
  readonly count?: number | undefined;
  /** Nearest neighbours of precision, recall, density and coverage. */
  readonly k: number;
  /** Of noise, halves and draws. */
  readonly seed: number;
  readonly onProgress?: (stage: Stage, done: number, total: number, fields?: Readonly<Record<string, number>>) => void;
  readonly onNote?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Quality {
  readonly evaluation: Evaluation;
  /** Generated images beside their nearest training images, as PNG. */
  readonly sheet: Buffer;
  /** Images that cannot be read. */
  readonly leftOut: number;
}

/** Generated images in all, where no number was asked for. */
const MOST = 1000;

/** Fewer training images than this make a rough ruler. */
const FEW = 200;

/** Measures everything; takes a minute or so. Throws the signal's reason if it is stopped. */
export async function measureQuality(options: QualityOptions): Promise<Quality> {
  const { engine: e, dataset, checkpoint, weights, k, seed, onProgress, signal } = options;
  const { config, classes } = checkpoint;
  const train = await openImages(dataset, 'train', config);
  const validation = await openImages(dataset, 'validation', config);
  const test = await openImages(dataset, 'test', config);
  const skipped = [train, validation, test].flatMap((part) => part.skipped);
  for (const line of describeSkipped(dataset, skipped)) options.onNote?.(line);
  if (train.labels.length === 0) throw new UserError(`"${dataset.dir}" holds no images to train on.`);
  const onEpoch =
    (stage: Stage) =>
    ({ epoch, loss, validation: score }: EpochRecord, epochs: number): void =>
      onProgress?.(stage, epoch, epochs, { loss, ...(score && { accuracy: score.accuracy }) });

  const counts = generatedCounts(countsOf(train.labels, classes.length), options.count);
  const source = await generateSource({
    engine: e,
    checkpoint,
    weights,
    counts,
    seed,
    onProgress: (done, total) => onProgress?.('generate', done, total),
    signal,
  });
  const space = await openFeatures({ ...options, train, validation, onEpoch: onEpoch('features') });
  const kinds: Kinds = {
    train: await realKind(space, dataset, train),
    heldOut: await realKind(space, dataset, test),
    generated: await generatedKind(space, source),
  };
  const halves = halve(kinds.train.labels, kinds.train.units, createRandom(seed, 'halves'));
  const groups = await compareGroups(kinds, halves, options);
  const judges = { engine: e, classes: classes.length, seed, onEpoch: onEpoch('GAN-train'), signal };
  const accuracy = await measureAccuracy(space, kinds, judges);
  const { neighbours, sheet } = await nearestTraining(kinds, { classes, search: neighbourSearch(e), seed });
  space.network.destroy();

  const { trainedOn, validatedOn, validationAccuracy } = space.info;
  const evaluation: Evaluation = {
    format: 'lyrebird-evaluation/1',
    checkpoint: path.basename(checkpoint.file),
    step: checkpoint.step,
    weights: weightsOf(checkpoint, weights),
    seed,
    k,
    classes: [...classes],
    counts: {
      training: countsOf(train.labels, classes.length),
      heldOut: countsOf(test.labels, classes.length),
      generated: counts,
    },
    features: {
      dimensions: kinds.generated.points.dimensions,
      trainedOn,
      validatedOn,
      ...(validationAccuracy !== undefined && { validationAccuracy }),
    },
    notes: notesOn(options, space.info, kinds, halves, checkpoint.data !== train.hash),
    ...groups,
    accuracy,
    neighbours,
  };
  return { evaluation, sheet, leftOut: skipped.length };
}

/** Of each class as many as asked for, else as many as there are to train on, in their proportions. */
export function generatedCounts(training: readonly number[], count: number | undefined): number[] {
  if (count !== undefined) return training.map(() => count);
  const total = training.reduce((sum, n) => sum + n, 0);
  const share = Math.min(1, MOST / total);
  return training.map((n) => Math.ceil(n * share));
}

/** All classes together, and each by itself. */
async function compareGroups(
  kinds: Kinds,
  halves: Halves,
  options: QualityOptions,
): Promise<Pick<Evaluation, 'overall' | 'perClass'>> {
  const { checkpoint, onProgress } = options;
  const total = checkpoint.classes.length + 1;
  onProgress?.('compare', 0, total);
  const first = someOf(kinds.train, halves.first);
  const second = someOf(kinds.train, halves.second);
  const few = asManyAs(kinds.heldOut, kinds.generated, checkpoint.classes.length);
  const overall = await compareGroup({ ...kinds, few, first, second }, options);
  const perClass: ComparisonGroup[] = [];
  for (const label of checkpoint.classes.keys()) {
    onProgress?.('compare', perClass.length + 1, total);
    const part = (kind: Kind): Kind => someOf(kind, ofClass(kind, label));
    const { train, heldOut, generated } = kinds;
    const own = { train: part(train), heldOut: part(heldOut), generated: part(generated) };
    perClass.push(await compareGroup({ ...own, few: part(few), first: part(first), second: part(second) }, options));
  }
  onProgress?.('compare', total, total);
  return { overall, perClass };
}

/** Of each class as many generated images as there are held-out ones: what few images show is compared with as few. */
function asManyAs(heldOut: Kind, generated: Kind, classes: number): Kind {
  const numbers = Array.from({ length: classes }, (_, label) =>
    ofClass(generated, label).slice(0, ofClass(heldOut, label).length),
  );
  return someOf(generated, numbers.flat());
}

type Group = Kinds & Readonly<Record<'few' | 'first' | 'second', Kind>>;

async function compareGroup(group: Group, { engine, k, seed, signal }: QualityOptions): Promise<ComparisonGroup> {
  const search = neighbourSearch(engine);
  const { train, heldOut, generated, few, first, second } = group;
  const against = async (kind: Kind, reference = train): Promise<Comparison> => {
    await setImmediate(); // bootstraps keep this thread busy: progress and ^C have their turn in between
    signal?.throwIfAborted();
    return compare(search, reference, kind, { k, seed });
  };
  return {
    generated: await against(generated),
    ...(heldOut.labels.length > 0 && { generatedFew: await against(few), heldOut: await against(heldOut) }),
    halves: await against(second, first),
  };
}

/** What a reader of the numbers should know, in sentences. */
function notesOn(
  { checkpoint, count, dataset }: QualityOptions,
  { trainedOn, validatedOn }: FeatureInfo,
  { train, heldOut }: Kinds,
  halves: Halves,
  isOtherData: boolean,
): string[] {
  const { classes } = checkpoint;
  const training = countsOf(train.labels, classes.length);
  const named = (numbers: readonly number[]): string => numbers.map((label) => `"${classes[label]}"`).join(', ');
  const lacking = countsOf(heldOut.labels, classes.length).flatMap((n, label) => (n === 0 ? [label] : []));
  const all = lacking.length === classes.length;
  return [
    isOtherData &&
      `The images of "${dataset.dir}" are not those that this run was trained on: what is compared with them may be unlike them for that reason alone.`,
    trainedOn < FEW &&
      `The feature network saw ${trainedOn} images in training. With so few its distances tell gross faults, not fine ones.`,
    validatedOn === 0 &&
      'No recording could be spared to see when the feature network had learnt enough: it may know its training images by heart.',
    all &&
      'There are no held-out images: only halves of the training images can be compared with, and GAN-train cannot be tested.',
    !all &&
      lacking.length > 0 &&
      `There are no held-out images of ${named(lacking)}: nothing real stands beside what was generated but halves of the training images.`,
    halves.cut.length > 0 &&
      `${named(halves.cut)}: the halves are of one recording, so they resemble each other more than new recordings would.`,
    count !== undefined &&
      new Set(training).size > 1 &&
      'As many images were generated of every class, but the training images are not evenly shared out: the overall distances count that difference too.',
  ].filter((note) => note !== false);
}
