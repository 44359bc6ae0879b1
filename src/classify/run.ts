/**
 * Trains a classifier on a data set, alone or with further images, and tests it on the recordings held out. Its folder gets
 *
 *   config.json  log.jsonl  checkpoint.safetensors  model.safetensors  results.json  predictions.csv
 *
 * What was stopped goes on from its checkpoint, and comes to the same numbers.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { noiseLabel } from '../audio/places.js';
import { createRandom } from '../audio/random.js';
import { createAugmenter, isAugmented, noiseBank } from '../data/augment.js';
import { keepBack } from '../data/keepBack.js';
import { createLoader } from '../data/loader.js';
import { mixSources } from '../data/mix.js';
import type { Dataset } from '../data/read.js';
import { recordingOf } from '../data/split.js';
import { type ImageSource, type ImageStore, openImages } from '../data/store.js';
import { toUserError, UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { openRunLog } from '../io/runLog.js';
import { csvText } from '../io/table.js';
import { loadWeights } from '../io/weights.js';
import type { Engine } from '../kernel/engine.js';
import { bootstrapShare, type Interval, membersOf } from '../metrics/bootstrap.js';
import { argmaxRows, hits } from '../metrics/confusion.js';
import { type EpochRecord, trainClassifier } from '../train/classifier.js';
import { countsOf, recordingsOf } from '../train/kinds.js';
import { tuningNote } from '../train/tuning.js';
import type { ClassifierRunConfig } from './config.js';
import { createClassifier, MODEL, readClassifierCheckpoint, writeClassifierCheckpoint, writeModel } from './files.js';
import { chooseThreshold, type Judged, judgeClassifier, probabilitiesOf } from './judge.js';

export interface ClassifierRun {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly config: ClassifierRunConfig;
  /** Where everything goes. */
  readonly out: string;
  readonly synthetic: boolean;
  /** Whether TensorBoard's files are written. Default true. */
  readonly tensorboard?: boolean;
  /** A file of weights to begin with, such as torchvision's; see io/weights.ts. */
  readonly weights?: string | undefined;
  /** Trained on beside the training part, or instead of it: generated images, numbered by the data set's classes. */
  readonly extra?: ImageSource | undefined;
  /** Whether the training part itself is trained on. Default true. */
  readonly useTraining?: boolean;
  readonly onStep?: (step: number, steps: number, loss: number, epoch: number) => void;
  readonly onEpoch?: (record: EpochRecord, epochs: number) => void;
  readonly onNote?: (line: string) => void;
  /** Told of each image that cannot be read. */
  readonly onLeftOut?: (file: string, reason: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What results.json holds. */
export interface ClassifierResults {
  readonly format: 'lyrebird-classification/1';
  readonly config: ClassifierRunConfig;
  readonly classes: readonly string[];
  readonly parameters: number;
  /** Images of each class. */
  readonly counts: {
    readonly training: readonly number[];
    readonly extra: readonly number[];
    readonly validation: readonly number[];
    readonly test: readonly number[];
  };
  readonly epochs: readonly EpochRecord[];
  readonly bestEpoch: number;
  readonly threshold: number | null;
  /** Missing where nothing is held out. */
  readonly test?: Judged & {
    /** 95 % interval of the windows' accuracy, recordings taken as wholes; missing of a single one. */
    readonly interval?: Interval;
    /** Windows of each recording, and how many of them are named rightly; in the order in which predictions.csv first names them. */
    readonly tally: readonly { readonly windows: number; readonly right: number }[];
    /** What always naming the commonest class would get right. */
    readonly chance: number;
  };
  /** All that it took, before it was stopped too. */
  readonly seconds: number;
  readonly adapter: string;
}

/** What a killed process loses at most, or an epoch if that is longer: writing may take longer than a short epoch. */
const SAVE_SECONDS = 20;

/** A folder holds a classifier of other settings, one that is trained on other images, or one from other weights. */
export class OtherClassifierError extends UserError {}

/** The parts of a data set as a classifier needs them. */
interface Parts {
  readonly store: ImageStore;
  readonly train: ImageSource;
  readonly validation: ImageSource;
  readonly test: ImageStore;
}

/**
 * Trains, or goes on, and tests. Undefined if it was stopped: then it goes on from its checkpoint. Throws a UserError if there
 * is nothing to train on, a class has no image, or training diverges.
 */
export async function runClassifier(run: ClassifierRun): Promise<ClassifierResults | undefined> {
  const { engine: e, dataset, config, out, extra, signal } = run;
  const begin = performance.now();
  const parts = await openParts(run);
  const trained = trainedOn(run, parts);
  const classes = dataset.classes.length;
  checkCounts(run, trained, parts);
  const data = await hashOf(trained, run.weights);
  const checkpoint = readClassifierCheckpoint(out);
  if (checkpoint) checkSame(run, checkpoint.config, checkpoint.data === data);
  const note = tuningNote(e, checkpoint?.tuning);
  if (note) run.onNote?.(note);
  const seconds = (): number => (checkpoint?.seconds ?? 0) + (performance.now() - begin) / 1000;
  const network = createClassifier(e, config, classes);
  await writeAtomically(path.join(out, 'config.json'), `${JSON.stringify(config, null, 1)}\n`);
  const log = openRunLog(out, { resumeAtStep: checkpoint?.state.step ?? 0, tensorboard: run.tensorboard ?? true });
  try {
    if (run.weights !== undefined && !checkpoint) {
      for (const note of await loadWeights(run.weights, network)) run.onNote?.(note);
    }
    const loader = createLoader({
      source: trained,
      batch: config.batch,
      seed: config.seed,
      balanced: config.balanced,
      ...(isAugmented(config.augment) && { augment: await augmenter(run, parts.train) }),
    });
    const steps = config.epochs * loader.batchesPerEpoch;
    const result = await trainClassifier({
      ...{ engine: e, network, loader, config, signal },
      ...{ channels: config.channels, size: config.size, validation: parts.validation, from: checkpoint?.state },
      ...(config.classWeights && { classWeights: weightsOf(countsOf(trained.labels, classes)) }),
      onStep: (step, loss, epoch) => {
        log.write({ step, loss });
        run.onStep?.(step, steps, loss, epoch);
      },
      onEpoch: (record) => {
        const { epoch, step, learningRate, validation } = record;
        // Its mean loss stays out: at this step the log has the step's own.
        log.write({ step, epoch, learningRate, validation });
        run.onEpoch?.(record, config.epochs);
      },
      save: (state) => writeClassifierCheckpoint(out, { config, data, seconds: seconds(), tuning: e.tuning.id, state }),
      saveSeconds: SAVE_SECONDS,
    });
    if (!result.complete || !result.best) return undefined;

    const { validation, test } = parts;
    const threshold =
      validation.labels.length > 0
        ? chooseThreshold(await probabilitiesOf(e, network, validation, classes), validation.labels, classes)
        : null;
    const info = { classes: [...dataset.classes], shown: shownOf(dataset), synthetic: run.synthetic, threshold };
    await writeModel(path.join(out, MODEL), {
      config,
      info: { ...info, epoch: result.best.epoch },
      weights: await network.state(),
    });
    const results: ClassifierResults = {
      format: 'lyrebird-classification/1',
      config,
      classes: dataset.classes,
      parameters: network.parameterCount,
      counts: {
        training:
          run.useTraining === false ? new Array<number>(classes).fill(0) : countsOf(parts.train.labels, classes),
        extra: countsOf(extra?.labels ?? new Int32Array(), classes),
        validation: countsOf(validation.labels, classes),
        test: countsOf(test.labels, classes),
      },
      epochs: result.history,
      bestEpoch: result.best.epoch,
      threshold,
      ...(test.labels.length > 0 && {
        test: await testOn(run, parts, await probabilitiesOf(e, network, test, classes)),
      }),
      seconds: seconds(),
      adapter: e.gpu.info.name,
    };
    await writeAtomically(path.join(out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
    return results;
  } finally {
    log.close();
    network.destroy();
  }
}

async function openParts({ dataset, config, extra, signal, onNote, onLeftOut }: ClassifierRun): Promise<Parts> {
  const { size, channels, fit, keepBack: share, seed } = config;
  const options = { size, channels, fit, ...(signal && { signal }) };
  const store = await openImages(dataset, 'train', options);
  const validation = await openImages(dataset, 'validation', options);
  const test = await openImages(dataset, 'test', options);
  const skipped = [...store.skipped, ...validation.skipped, ...test.skipped];
  for (const { file, reason } of skipped) onLeftOut?.(file, reason);
  if (validation.labels.length > 0 || share === 0) return { store, train: store, validation, test };
  const kept = keepBack(dataset, store, share, seed);
  if (extra && kept.validation.labels.length > 0) {
    onNote?.(
      'The recordings kept back to see when to stop may be among those that the generator was trained on: then training stops ' +
        'late, and the threshold is too high. Give the data set a validation part (lyrebird split --validation) before the generator is trained.',
    );
  }
  return { store, ...kept, test };
}

/** What is trained on: the training part, what comes beside it, or that alone. */
function trainedOn({ extra, useTraining = true }: ClassifierRun, { train }: Parts): ImageSource {
  if (!extra) return train;
  return useTraining ? mixSources([train, extra]) : extra;
}

function checkCounts({ dataset, config }: ClassifierRun, trained: ImageSource, { store }: Parts): void {
  const { dir, classes } = dataset;
  if (trained.labels.length === 0) throw new UserError(`"${dir}" holds no images to train on.`);
  const counts = countsOf(trained.labels, classes.length);
  const without = classes.filter((_, i) => counts[i] === 0);
  if (without.length > 0) {
    const kept = countsOf(store.labels, classes.length);
    const isKeptBack = without.some((label) => kept[classes.indexOf(label)]! > 0);
    throw new UserError(
      `There are no images of ${without.join(', ')} to train on. ${
        isKeptBack
          ? `All of its recordings are kept back to see when to stop: add recordings, or set keepBack to 0 (it is ${config.keepBack}).`
          : 'Add recordings, or leave that class out.'
      }`,
    );
  }
}

function checkSame({ out, config }: ClassifierRun, before: ClassifierRunConfig, sameImages: boolean): void {
  const changed = (Object.keys(config) as (keyof ClassifierRunConfig)[]).filter(
    (field) => JSON.stringify(before[field]) !== JSON.stringify(config[field]),
  );
  if (changed.length === 0 && sameImages) return;
  const what = changed
    .slice(0, 3)
    .map((field) => `${field} ${JSON.stringify(before[field])} (asked for: ${JSON.stringify(config[field])})`);
  throw new OtherClassifierError(
    changed.length > 0
      ? `"${out}" holds a classifier with other settings: ${what.join(', ')}. Choose another --out, or move it away.`
      : `"${out}" was trained on other images than those that there are now, or from other weights. Choose another --out, or move it away.`,
  );
}

/** SHA-256 of all levels and labels, and of the file of weights to begin with, if there is one; in hexadecimal. */
async function hashOf(source: ImageSource, weights?: string): Promise<string> {
  const hash = createHash('sha256').update(`${source.size} ${source.channels}`);
  const image = new Float32Array(source.channels * source.size ** 2);
  for (const [i, label] of source.labels.entries()) {
    await source.read(i, image);
    hash.update(` ${label} `).update(image);
  }
  if (weights !== undefined) {
    try {
      for await (const bytes of createReadStream(weights)) hash.update(bytes);
    } catch (error) {
      throw toUserError(error, weights);
    }
  }
  return hash.digest('hex');
}

async function augmenter({ dataset, config, onNote }: ClassifierRun, train: ImageSource) {
  const { augment, size, channels, seed } = config;
  const noise = augment.background > 0 ? await noiseBank(train, dataset.classes.indexOf(noiseLabel)) : undefined;
  if (augment.background > 0 && !noise) {
    onNote?.(`There is no class "${noiseLabel}" among the training images: no background is mixed in.`);
  }
  return createAugmenter({ config: augment, size, channels, seed, rangeDb: dataset.parameters?.rangeDb, noise });
}

/** By how much an image of each class counts, so that all classes count alike; 1 on average over the images. */
function weightsOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => total / (counts.length * Math.max(1, count)));
}

const shownOf = ({ parameters, sampleRate }: Dataset) =>
  parameters && sampleRate !== undefined ? { parameters, sampleRate } : null;

/** Scores of the test part; predictions.csv says what was named in each of its windows. */
async function testOn(
  { dataset, config, out }: ClassifierRun,
  { test }: Parts,
  probabilities: Float64Array,
): Promise<NonNullable<ClassifierResults['test']>> {
  const { classes } = dataset;
  const units = recordingsOf(dataset, test);
  const judged = judgeClassifier(probabilities, test.labels, units, classes.length);
  const named = argmaxRows(probabilities, classes.length);
  const random = createRandom(config.seed, 'accuracy');
  const right = hits(test.labels, named);
  const interval = bootstrapShare(right, units, { random });
  const tally = membersOf(units).map((windows) => ({
    windows: windows.length,
    right: windows.reduce((sum, i) => sum + right[i]!, 0),
  }));
  const chance = Math.max(...countsOf(test.labels, classes.length)) / test.labels.length;
  const names = new Map(dataset.images.map((image) => [image.file, recordingOf(image)]));
  const lines = test.files.map((file, i) => {
    const row = [...probabilities.subarray(i * classes.length, (i + 1) * classes.length)].map((p) => p.toFixed(6));
    return [file, names.get(file)!, classes[test.labels[i]!]!, classes[named[i]!]!, ...row];
  });
  const header = ['file', 'recording', 'label', 'named', ...classes];
  await writeAtomically(path.join(out, 'predictions.csv'), csvText([header, ...lines]));
  return { ...judged, ...(interval && { interval }), tally, chance };
}
