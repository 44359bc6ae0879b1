/**
 * The members of an experiment, each with a folder of its own:
 *
 *   generators/fold-1/seed-1/                                    a run's folder
 *   classifiers/ResNet18 dynamic/real only/fold-1/seed-1/        a classifier's folder
 */
import path from 'node:path';
import { safeNames } from '../../data/names.js';
import { defaultFractions, type Fold, foldsOf, partsOfFold } from '../../data/parts.js';
import type { Dataset } from '../../data/read.js';
import { splitRecordings } from '../../data/split.js';
import { UserError } from '../../io/errors.js';
import { armName } from '../../io/experiment.js';
import type { ExperimentConfig, Mix } from './config.js';

/** A line of the table: what is trained, and on what. */
export interface Arm {
  readonly network: ExperimentConfig['networks'][number];
  readonly dynamic: boolean;
  readonly mix: Mix;
}

export interface PlannedClassifier {
  readonly arm: Arm;
  readonly folder: string;
}

/** All that is made with one fold for test and one seed. */
export interface Round {
  readonly fold: number;
  readonly seed: number;
  /** The generator's. */
  readonly folder: string;
  /** Network by network, the mix of real images alone before the others. */
  readonly classifiers: readonly PlannedClassifier[];
}

/** All rounds, seed by seed: so that every recording has tested before anything is repeated. */
export function planRounds(out: string, config: ExperimentConfig, folds: readonly number[]): Round[] {
  const arms = config.networks.flatMap((network) =>
    config.dynamic.flatMap((dynamic) => config.mixes.map((mix): Arm => ({ network, dynamic, mix }))),
  );
  const networks = safeNames(arms.map(({ network, dynamic }) => armName(network.name, dynamic)));
  const mixes = safeNames(config.mixes.map((mix) => mix.name));
  return config.seeds.flatMap((seed) =>
    folds.map((fold) => {
      const place = path.join(`fold-${fold}`, `seed-${seed}`);
      return {
        fold,
        seed,
        folder: path.join(out, 'generators', place),
        classifiers: arms.map((arm) => {
          const network = networks.get(armName(arm.network.name, arm.dynamic))!;
          return { arm, folder: path.join(out, 'classifiers', network, mixes.get(arm.mix.name)!, place) };
        }),
      };
    }),
  );
}

/** A data set of which each fold can test. */
export interface Folded {
  readonly dataset: Dataset;
  /** Those that test. */
  readonly folds: readonly number[];
  /** Whether they are the data set's own: then its files say so too. */
  readonly own: boolean;
  /** What a reader of results should know of folds that were made here, or of what is left out. */
  readonly notes: readonly string[];
}

/** Of the folds that are made here: always the same for a data set. */
const FOLD_SEED = 1;

/**
 * A data set's own folds; else its recordings are divided, so that each fold has as many images of a class as every other, as
 * far as whole recordings allow. Images of no fold that would test with each of the data set's own are left out: gains are of
 * recordings that test once. Throws a UserError if there are too few recordings, or no such fold.
 */
export function foldDataset(dataset: Dataset, { folds, tested }: Pick<ExperimentConfig, 'folds' | 'tested'>): Folded {
  const own = foldsOf(dataset.images).length > 0;
  const split = own
    ? undefined
    : splitRecordings(dataset.images, { fractions: defaultFractions, seed: FOLD_SEED, folds });
  const images = split
    ? dataset.images.map((image, i) => placed(image, split.folds[i]))
    : dataset.images.filter((image) => image.fold !== undefined || image.split !== 'test');
  const all = foldsOf(images);
  const missing = tested?.find((fold) => !all.includes(fold));
  if (missing !== undefined) {
    throw new UserError(`"tested" names fold ${missing}, but the folds of "${dataset.dir}" are ${all.join(', ')}.`);
  }
  const left = dataset.images.length - images.length;
  const leftOut = `${left} test images of no fold are left out: they would test with every fold, and count as often.`;
  return {
    ...{ dataset: { ...dataset, images }, folds: tested ?? all, own },
    notes: split?.notes ?? (left > 0 ? [leftOut] : []),
  };
}

type Image = Dataset['images'][number];

const placed = ({ fold: _, ...image }: Image, fold: Fold): Image => ({
  ...image,
  split: 'train',
  ...(fold !== undefined && { fold }),
});

/** The parts when a fold tests. */
export function testedBy({ dataset, own }: Folded, fold: number): Dataset {
  const { images } = dataset;
  const withValidation = own && images.some(({ split }) => split === 'validation');
  const parts = partsOfFold(images, fold, withValidation);
  return { ...dataset, images: images.map((image, i) => ({ ...image, split: parts[i]! })) };
}
