/**
 * The ruler of an ablation: what every run is measured by. The feature network is trained once, on the training part, and kept
 * in the ablation's folder; real images are looked at once. The measures are those of `lyrebird evaluate` (quality.ts), over all
 * classes together and without intervals: what counts here is how they vary from seed to seed.
 */
import type { Dataset } from '../../data/read.js';
import { describeSkipped, type ImageSource, openImages } from '../../data/store.js';
import type { Measured } from '../../io/ablation.js';
import type { Comparison, Evaluation, Measure } from '../../io/evaluation.js';
import { gridPng } from '../../io/image.js';
import type { Engine } from '../../kernel/engine.js';
import { compare } from '../../metrics/compare.js';
import { neighbourSearch } from '../../metrics/gpuNeighbours.js';
import type { Checkpoint } from '../checkpoint.js';
import type { TrainConfig } from '../config.js';
import { openFeatures } from '../features.js';
import { accuracyOf, measureAccuracy } from '../ganAccuracy.js';
import { countsOf, generatedKind, generateSource, type Kind, ofClass, realKind } from '../kinds.js';
import { generatedCounts } from '../quality.js';
import { toLevels } from '../sample.js';
import { checkTrainable } from '../trainer.js';

export interface RulerOptions {
  readonly engine: Engine;
  readonly dataset: Dataset;
  /** How images are opened: the same for all variants. */
  readonly config: Pick<TrainConfig, 'size' | 'channels' | 'fit'>;
  /** Where the feature network is kept. */
  readonly folder: string;
  /** Images to generate of each class. Default: as many as there are to train on, a thousand in all at most. */
  readonly count?: number | undefined;
  readonly k: number;
  /** Of the generated images' noise, and of all draws. */
  readonly seed: number;
  readonly onEpoch?: (epoch: number, epochs: number) => void;
  readonly onNote?: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Ruler {
  /** Images that cannot be read: they have been told of. */
  readonly leftOut: number;
  /** SHA-256 of the images of each part, all of which it measures by: training (`data`), validation, test. */
  readonly images: Readonly<Record<'data' | 'validation' | 'test', string>>;
  readonly classes: readonly string[];
  readonly counts: { readonly training: number; readonly heldOut: number; readonly generated: number };
  /** What held-out real images give; as GAN-train, the accuracy on them of a classifier trained on real images. */
  readonly heldOut: Measured;
  /** Some training images, a column for each class that is shown: PNG. */
  readonly sheet: Buffer;
  /** The classes that sheets show. */
  readonly shown: readonly string[];
  /** Measures what a checkpoint generates, and draws some of it. Throws a UserError if its images are no numbers. */
  measure(checkpoint: Checkpoint): Promise<{ readonly measured: Measured; readonly sheet: Buffer }>;
  destroy(): void;
}

/** Images of a class on a sheet, and classes on it. */
const ROWS = 4;
const MOST_SHOWN = 16;

/**
 * Trains the feature network, or reads it, and looks at the real images. Throws a UserError if a class has none to train on, the signal's
 * reason if it is stopped.
 */
export async function openRuler(options: RulerOptions): Promise<Ruler> {
  const { engine: e, dataset, config, folder, k, seed, signal, onEpoch } = options;
  const { size, channels, fit } = config;
  const { classes } = dataset;
  const open = (part: 'train' | 'validation' | 'test') => openImages(dataset, part, { size, channels, fit, signal });
  const [train, validation, test] = [await open('train'), await open('validation'), await open('test')];
  const skipped = [train, validation, test].flatMap((part) => part.skipped);
  for (const line of describeSkipped(dataset, skipped)) options.onNote?.(line);
  checkTrainable(dataset, train);
  const space = await openFeatures({
    ...options,
    run: folder,
    train,
    validation,
    onEpoch: ({ epoch }, epochs) => onEpoch?.(epoch, epochs),
  });
  const kinds = { train: await realKind(space, dataset, train), heldOut: await realKind(space, dataset, test) };
  const counts = generatedCounts(countsOf(train.labels, classes.length), options.count);
  const against = (kind: Kind) => compare(neighbourSearch(e), kinds.train, kind, { k, seed, intervals: false });
  const judges = { engine: e, classes: classes.length, seed, signal };
  const real = await accuracyOf(e, space.network, kinds.heldOut, classes.length, seed);
  const heldOut: Measured =
    test.labels.length > 0 ? { ...comparisonOf(await against(kinds.heldOut)), ganTrain: numberOf(real.overall) } : {};
  const columns = classes.slice(0, MOST_SHOWN).map((_, label) => label);
  const sheetOf = (kind: Kind) =>
    sheet(
      kind.source,
      columns.map((label) => ofClass(kind, label).slice(0, ROWS)),
    );

  return {
    leftOut: skipped.length,
    images: { data: train.hash, validation: validation.hash, test: test.hash },
    classes,
    counts: {
      training: train.labels.length,
      heldOut: test.labels.length,
      generated: counts.reduce((sum, n) => sum + n, 0),
    },
    heldOut,
    sheet: await sheetOf(kinds.train),
    shown: columns.map((label) => classes[label]!),
    async measure(checkpoint) {
      const source = await generateSource({ engine: e, checkpoint, counts, seed, signal });
      const generated = await generatedKind(space, source);
      const comparison = comparisonOf(await against(generated));
      const accuracy = judgesOf(await measureAccuracy(space, { ...kinds, generated }, judges));
      signal.throwIfAborted();
      return { measured: { ...comparison, ...accuracy }, sheet: await sheetOf(generated) };
    },
    destroy: () => space.network.destroy(),
  };
}

const numberOf = (measure: Measure): number | undefined => ('value' in measure ? measure.value : undefined);

function comparisonOf({ frechet, kernel, precision, recall, density, coverage }: Comparison): Measured {
  return {
    frechet: numberOf(frechet),
    kernel: numberOf(kernel),
    precision: numberOf(precision),
    recall: numberOf(recall),
    density: numberOf(density),
    coverage: numberOf(coverage),
  };
}

const judgesOf = ({ ganTrain, ganTest }: Evaluation['accuracy']): Measured => ({
  ganTrain: numberOf(ganTrain.overall),
  ganTest: numberOf(ganTest.overall),
});

/** The images of these numbers, a column for each list: PNG. */
async function sheet(source: ImageSource, columns: readonly (readonly number[])[]): Promise<Buffer> {
  const { size, channels } = source;
  const length = channels * size ** 2;
  const cells = Array.from({ length: ROWS }, (_, row) => columns.map((numbers) => numbers[row])).flat();
  const images = new Float32Array(cells.length * length).fill(-1);
  await Promise.all(
    cells.map((i, k) => (i === undefined ? undefined : source.read(i, images.subarray(k * length, (k + 1) * length)))),
  );
  const scale = Math.max(1, Math.round(64 / size));
  return gridPng(toLevels(images, size, channels), {
    columns: columns.length,
    size,
    scale,
    background: 'transparent',
  });
}
