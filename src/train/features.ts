/**
 * The space in which a run's images are compared: a small classifier, trained on the training part alone (some recordings of
 * it kept back to see when to stop), whose last but one layer gives the features. It is kept with the run, as
 * features.safetensors, with features.json for people, and trained anew only for other images.
 *
 * Its seed is always the same, so that runs on one data set are measured by one ruler (on one adapter, to the bit).
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { keepBack } from '../data/keepBack.js';
import { createLoader } from '../data/loader.js';
import type { Dataset } from '../data/read.js';
import type { ImageSource, ImageStore } from '../data/store.js';
import { writeAtomically } from '../io/files.js';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../io/safetensors.js';
import type { Engine } from '../kernel/engine.js';
import { deviation, type Points, toPoints } from '../metrics/points.js';
import { FeatureNet } from '../models/featureNet.js';
import { Network, type State } from '../nn/network.js';
import { type ClassifierConfig, type ClassifierResult, type EpochRecord, trainClassifier } from './classifier.js';
import { outputsOf } from './outputs.js';

const FORMAT = 'lyrebird-features/1';
const FILE = 'features.safetensors';
const SEED = 1;

/** How it is trained; what was trained otherwise is trained anew. */
const RECIPE = {
  features: 64,
  /** Of the training part, where the data set has no validation part of its own. */
  keptBack: 0.15,
  /** Batches are an eighth of what is trained on, within these bounds. */
  batch: [8, 32],
  /** So many updates are aimed at, in a number of passes within these bounds: small sets are gone through more often. */
  steps: 300,
  epochs: [20, 60],
  optimizer: 'adamw',
  learningRate: 2e-3,
  weightDecay: 0.05,
  momentum: 0.9,
  labelSmoothing: 0.1,
} as const;

/** What a feature network is trained on, and how it is told of. */
export interface FeatureTraining {
  readonly train: ImageSource;
  /** May be empty: then training goes on to its end. */
  readonly validation: ImageSource;
  readonly classes: number;
  readonly seed: number;
  readonly onEpoch?: ((record: EpochRecord, epochs: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TrainedFeatures {
  readonly network: Network<FeatureNet>;
  readonly result: ClassifierResult;
}

/** Trains a feature network: each class is drawn equally often. Throws the signal's reason if it is stopped. */
export async function trainFeatures(e: Engine, training: FeatureTraining): Promise<TrainedFeatures> {
  const { train, validation, classes, seed, onEpoch, signal } = training;
  const batch = clamp(Math.ceil(train.labels.length / 8), RECIPE.batch);
  const loader = createLoader({ source: train, batch, seed, balanced: true });
  const config = configFor(loader.batchesPerEpoch);
  const { size, channels } = train;
  const network = createNetwork(e, classes, train, seed);
  const result = await trainClassifier({
    engine: e,
    network,
    loader,
    channels,
    size,
    validation,
    config,
    signal,
    onEpoch: (record) => onEpoch?.(record, config.epochs),
  });
  signal?.throwIfAborted();
  return { network, result };
}

const createNetwork = (
  e: Engine,
  classes: number,
  { channels, size }: Pick<ImageSource, 'channels' | 'size'>,
  seed: number,
) => new Network(e, new FeatureNet({ classes, channels, size, features: RECIPE.features }), seed);

function configFor(batchesPerEpoch: number): ClassifierConfig {
  const epochs = clamp(Math.ceil(RECIPE.steps / batchesPerEpoch), RECIPE.epochs);
  return { ...RECIPE, epochs, patience: Math.ceil(epochs / 4) };
}

const clamp = (value: number, [least, most]: readonly [number, number]): number =>
  Math.min(most, Math.max(least, value));

/** How the feature network came to be. */
const infoSchema = z.object({
  data: z.string().describe('SHA-256 of the images of training and validation part'),
  recipe: z.string(),
  classes: z.array(z.string()),
  trainedOn: z.int(),
  validatedOn: z.int(),
  /** Updates made, and the epoch whose weights are kept. */
  steps: z.int(),
  bestEpoch: z.int(),
  validationAccuracy: z.number().optional(),
});

export type FeatureInfo = z.infer<typeof infoSchema>;

export interface FeatureSpace {
  readonly info: FeatureInfo;
  readonly network: Network<FeatureNet>;
  /** Feature vectors; their variance over the training part is 1, on average over the dimensions. */
  pointsOf(source: ImageSource): Promise<Points>;
}

export interface FeatureOptions {
  readonly engine: Engine;
  /** The folder where it is kept. */
  readonly run: string;
  readonly dataset: Dataset;
  readonly train: ImageStore;
  /** The data set's own validation part; may be empty. */
  readonly validation: ImageStore;
  readonly onEpoch?: FeatureTraining['onEpoch'];
  readonly onNote?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The run's feature space: read if it is there and of these images, else trained and written. */
export async function openFeatures(options: FeatureOptions): Promise<FeatureSpace> {
  const { engine: e, train } = options;
  const { network, info } = readKnown(options) ?? (await trainAndKeep(options));
  const { module } = network;
  const features = (source: ImageSource): Promise<Float32Array> =>
    outputsOf(e, module, module.features.bind(module), source);
  const scale = deviation(toPoints(await features(train), RECIPE.features));
  const pointsOf = async (source: ImageSource): Promise<Points> =>
    toPoints(
      (await features(source)).map((value) => value / scale),
      RECIPE.features,
    );
  return { info, network, pointsOf };
}

type Known = Pick<FeatureSpace, 'network' | 'info'>;

/** Whether a network that was kept is of use for these images. */
const identity = ({ dataset, train, validation }: FeatureOptions) => ({
  data: `${train.hash} ${validation.hash}`,
  recipe: JSON.stringify(RECIPE),
  classes: dataset.classes,
});

/** The network that was kept; undefined if there is none of these images. */
function readKnown(options: FeatureOptions): Known | undefined {
  const { engine, run, train, onNote } = options;
  try {
    return readFeatures(engine, run, train, ({ data, recipe, classes }) =>
      isDeepStrictEqual({ data, recipe, classes }, identity(options)),
    );
  } catch {
    onNote?.(`"${path.join(run, FILE)}" is damaged: the feature network is trained anew.`);
    return undefined;
  }
}

/**
 * The network that a run keeps, for images of this kind, if it is as it has to be; undefined if there is none. Throws if the file is
 * damaged.
 */
export function readFeatures(
  e: Engine,
  run: string,
  images: Pick<ImageSource, 'size' | 'channels'>,
  isAsIt: (info: FeatureInfo) => boolean,
): Known | undefined {
  const file = path.join(run, FILE);
  if (!existsSync(file)) return undefined;
  const { tensors, metadata } = readSafetensors(file);
  const info = infoSchema.parse(JSON.parse(metadata.info ?? ''));
  if (metadata.format !== FORMAT || info.recipe !== JSON.stringify(RECIPE) || !isAsIt(info)) return undefined;
  const network = createNetwork(e, info.classes.length, images, SEED);
  network.load(tensors as State);
  return { network, info };
}

async function trainAndKeep(options: FeatureOptions): Promise<Known> {
  const { engine: e, run, dataset, onEpoch, signal } = options;
  const { train, validation } = parts(options);
  const { network, result } = await trainFeatures(e, {
    train,
    validation,
    classes: dataset.classes.length,
    seed: SEED,
    onEpoch,
    signal,
  });
  const best = result.best!;
  const info: FeatureInfo = {
    ...identity(options),
    trainedOn: train.labels.length,
    validatedOn: validation.labels.length,
    steps: result.history.at(-1)!.step,
    bestEpoch: best.epoch,
    ...(best.validation && { validationAccuracy: best.validation.accuracy }),
  };
  const tensors = new Map<string, WritableTensor>();
  for (const [name, { shape, data }] of await network.state()) tensors.set(name, { dtype: 'F32', shape, data });
  const file = path.join(run, FILE);
  await writeAtomically(file, writeSafetensors(tensors, { format: FORMAT, info: JSON.stringify(info) }));
  const { data: _hash, ...told } = info;
  const description = { format: FORMAT, network: network.module.config, ...told, epochs: result.history };
  await writeAtomically(path.join(run, 'features.json'), `${JSON.stringify(description, null, 1)}\n`);
  return { network, info };
}

/** What is trained on, and what tells when to stop: the validation part, or else recordings of the training part. */
function parts({
  dataset,
  train,
  validation,
}: FeatureOptions): Pick<Required<FeatureTraining>, 'train' | 'validation'> {
  if (validation.labels.length > 0) return { train, validation };
  return keepBack(dataset, train, RECIPE.keptBack, SEED);
}
