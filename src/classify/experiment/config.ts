/** What an experiment is told: plain data, checked. Presets are whole configs; a config's file changes fields of one. */
import { z } from 'zod';
import { AUGMENTATIONS, type AugmentConfig, NO_AUGMENTATION } from '../../data/augment.js';
import { firstFault, knownFields } from '../../data/schema.js';
import { UserError } from '../../io/errors.js';
import { armName } from '../../io/experiment.js';
import { FITS } from '../../io/pixels.js';
import { checkConfig, PRESETS, presetConfig, SIZES, type TrainConfig } from '../../train/config.js';
import { type ClassifierRunConfig, checkClassifierConfig, DEFAULT_CLASSIFIER } from '../config.js';

const name = z.string().trim().min(1).max(60);
const fields = z.record(z.string(), z.unknown());

const mixSchema = z
  .strictObject({
    name: name.describe('in the tables, and of its folder'),
    real: z.boolean().default(true).describe('whether the training recordings are trained on'),
    synthetic: z
      .union([z.int().min(0).max(100_000), z.literal('balance')])
      .default(0)
      .describe('generated images of each class; balance: what each lacks to be as many as the commonest'),
    candidates: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe(
        'images generated for each that is taken: those in which the same network, trained on real images alone, sees their class most clearly',
      ),
    augment: z
      .array(z.enum(Object.keys(AUGMENTATIONS) as [string, ...string[]]))
      .default([])
      .describe('what happens to images, the traditional way'),
  })
  .refine(({ real, synthetic }) => real || synthetic !== 0, {
    path: ['synthetic'],
    error: 'must be above 0 if "real" is false: there would be nothing to train on',
  })
  .refine(({ real, synthetic }) => real || synthetic !== 'balance', {
    path: ['synthetic'],
    error: 'must be a number if "real" is false: "balance" adds to real images',
  });

export type Mix = Readonly<z.infer<typeof mixSchema>>;

const networkSchema = z.strictObject({
  name: name.describe('in the tables, and of its folder'),
  settings: fields.describe("fields of a classifier's config.json"),
  steps: z.int().min(1).max(10_000_000).optional().describe('its updates, if other than those of all'),
});

export const experimentSchema = z.strictObject({
  folds: z.int().min(2).max(100).describe('to divide the recordings into, where the data set has no folds of its own'),
  tested: z.array(z.int().min(1)).min(1).nullable().describe('folds that test, one after another; null: all'),
  seeds: z.array(z.int().min(0)).min(1).describe('of generators and classifiers'),
  size: z.literal(SIZES).describe('side of the images in pixels'),
  channels: z.literal([1, 3]),
  fit: z.enum(FITS),
  ganPreset: z.enum(PRESETS).describe('of the generators'),
  gan: fields.describe("fields of a run's config.json that are other than in that preset"),
  steps: z.int().min(1).max(10_000_000).describe('updates of each classifier, whatever it is trained on'),
  classifier: fields.describe("fields of a classifier's config.json, of all networks"),
  networks: z.array(networkSchema).min(1),
  dynamic: z.array(z.boolean()).min(1).describe('whether convolutions are dynamic: false, true, or both'),
  mixes: z.array(mixSchema).min(1).describe('what classifiers are trained on'),
});

export type ExperimentConfig = Readonly<z.infer<typeof experimentSchema>>;

/** What every gain is measured from. */
export const REAL_ONLY: Mix = { name: 'real only', real: true, synthetic: 0, candidates: 1, augment: [] };

const isRealOnly = ({ real, synthetic, augment }: Mix): boolean => real && synthetic === 0 && augment.length === 0;

const mix = (changes: Partial<Mix> & Pick<Mix, 'name'>): Mix => ({ ...REAL_ONLY, ...changes });

const TRADITIONAL = ['time-shift', 'frequency-shift', 'gain', 'time-mask', 'frequency-mask'];

/** The mixes of a preset, for `few` and `many` generated images a class. */
const mixes = (few: number, many: number): Mix[] => [
  REAL_ONLY,
  mix({ name: `real + ${few} generated`, synthetic: few }),
  mix({ name: `real + ${many} generated`, synthetic: many }),
  mix({ name: `real + ${few} chosen of ${4 * few}`, synthetic: few, candidates: 4 }),
  mix({ name: `${many} generated only`, real: false, synthetic: many }),
  mix({ name: 'filled up to equal counts', synthetic: 'balance' }),
  mix({ name: 'traditional augmentation', augment: TRADITIONAL }),
  mix({ name: `traditional + ${few} generated`, synthetic: few, augment: TRADITIONAL }),
];

export const EXPERIMENTS = ['small', 'full'] as const;

export type ExperimentPreset = (typeof EXPERIMENTS)[number];

export const PRESET_CONFIGS: Readonly<Record<ExperimentPreset, ExperimentConfig>> = {
  // An hour or so on two cores. Each network has the settings and as many updates as it takes to learn at 32 x 32.
  small: {
    folds: 3,
    tested: null,
    seeds: [1],
    size: 32,
    channels: 1,
    fit: 'stretch',
    ganPreset: 'small',
    gan: { checkpointEvery: 250, sampleEvery: 250 },
    steps: 150,
    classifier: { batch: 32 },
    networks: [
      // Narrower ones learn the training images by heart and nothing else; a first stride of 1 does not change that.
      { name: 'MobileNetV2', settings: { network: 'mobilenet_v2', width: 1, learningRate: 4e-3 }, steps: 120 },
      { name: 'ResNet18', settings: { network: 'resnet18', width: 0.25, learningRate: 2e-3 } },
      // Without batch norms it needs a lower rate, a slow start and more updates.
      {
        name: 'VGG16',
        settings: { network: 'vgg16', width: 0.125, learningRate: 4e-4, warmUp: 3, dropout: 0 },
        steps: 340,
      },
    ],
    dynamic: [false, true],
    mixes: mixes(20, 60),
  },
  full: {
    folds: 5,
    tested: null,
    seeds: [1, 2, 3],
    size: 128,
    channels: 1,
    fit: 'stretch',
    ganPreset: 'reference',
    gan: { steps: 10_000, checkpointEvery: 1000, sampleEvery: 1000 },
    steps: 3000,
    classifier: { batch: 32 },
    networks: [
      { name: 'MobileNetV2', settings: { network: 'mobilenet_v2', width: 1, learningRate: 2e-3 } },
      { name: 'ResNet18', settings: { network: 'resnet18', width: 1, learningRate: 1e-3 } },
      { name: 'VGG16', settings: { network: 'vgg16', width: 1, learningRate: 2e-4, warmUp: 3 } },
    ],
    dynamic: [false, true],
    mixes: mixes(100, 400),
  },
};

/** What a config's file must not set for one network or one generator: what all share, or what the plan decides. */
const SHARED = ['size', 'channels', 'fit', 'fold', 'seed'];
const PLANNED = [...SHARED, 'dynamic', 'augment', 'epochs', 'patience', 'keepBack'];

/** By which of its own fields an experiment decides them. */
const BESIDE: Readonly<Record<string, string>> = {
  size: 'size',
  channels: 'channels',
  fit: 'fit',
  fold: 'tested',
  seed: 'seeds',
  dynamic: 'dynamic',
  augment: 'mixes',
  epochs: 'steps',
};

/**
 * A preset changed by `given`, checked whole, the mix of real images alone the first: added where there is none. Throws a
 * UserError that names the field and its value; `source` says where it comes from.
 */
export function checkExperiment(given: object, preset: ExperimentPreset, source: string): ExperimentConfig {
  const value = { ...PRESET_CONFIGS[preset], ...given };
  const parsed = experimentSchema.safeParse(value);
  if (!parsed.success) {
    const known = knownFields(parsed.error, { '': experimentSchema });
    throw new UserError(`${source}: ${firstFault(parsed.error, value)}.${known}`);
  }
  const config = parsed.data;
  const base = config.mixes.find(isRealOnly) ?? REAL_ONLY;
  const mixes = [base, ...config.mixes.filter((each) => each !== base)];
  const dynamic = [...new Set(config.dynamic)];
  checkNames(
    config.networks.flatMap((network) => dynamic.map((each) => armName(network.name, each))),
    'networks',
    source,
  );
  checkNames(
    mixes.map((each) => each.name),
    'mixes',
    source,
  );
  checkUnshared(config.gan, SHARED, `${source}: "gan"`);
  checkUnshared(config.classifier, PLANNED, `${source}: "classifier"`);
  ganConfig(config, { fold: null, seed: 0 }, source);
  for (const network of config.networks) {
    checkUnshared(network.settings, PLANNED, `${source}: the network "${network.name}"`);
    classifierConfig(config, { network, dynamic: false, augment: [], epochs: 1, fold: null, seed: 0 }, source);
  }
  const unique = (values: readonly number[]): number[] => [...new Set(values)];
  return {
    ...config,
    seeds: unique(config.seeds),
    tested: config.tested && unique(config.tested),
    dynamic,
    mixes,
  };
}

/** By its name a member is known, and its folder: also that of a dynamic network, or of the mix that is added. */
function checkNames(names: readonly string[], field: string, source: string): void {
  const lower = names.map((each) => each.toLowerCase());
  const twice = names.find((_, i) => lower.indexOf(lower[i]!) < i);
  if (twice === undefined) return;
  throw new UserError(`${source}: two of "${field}" are called "${twice}": give each a name of its own.`);
}

function checkUnshared(settings: Readonly<Record<string, unknown>>, not: readonly string[], source: string): void {
  const wrong = not.find((field) => Object.hasOwn(settings, field));
  if (wrong === undefined) return;
  const beside = BESIDE[wrong];
  const advice = beside === undefined ? 'leave it out' : `give "${beside}" beside it instead, or leave it out`;
  throw new UserError(`${source} sets "${wrong}", which the experiment sets itself: ${advice}.`);
}

/** Updates of a network. */
export const stepsOf = ({ steps }: ExperimentConfig, network: ExperimentConfig['networks'][number]): number =>
  network.steps ?? steps;

interface Place {
  /** As data sets number their own; null of folds that the experiment made. */
  readonly fold: number | null;
  readonly seed: number;
}

/** What a generator is trained by. Throws a UserError that names a wrong field. */
export function ganConfig(config: ExperimentConfig, { fold, seed }: Place, source: string): TrainConfig {
  const { size, channels, fit, ganPreset, gan } = config;
  const preset = presetConfig(ganPreset, size);
  return checkConfig({ ...preset, ...gan, size, channels, fit, fold, seed }, `${source}: "gan"`);
}

interface ClassifierPlace extends Place {
  readonly network: ExperimentConfig['networks'][number];
  readonly dynamic: boolean;
  readonly augment: readonly string[];
  readonly epochs: number;
}

/** What a classifier is trained by. Throws a UserError that names a wrong field. */
export function classifierConfig(
  config: ExperimentConfig,
  place: ClassifierPlace,
  source: string,
): ClassifierRunConfig {
  const { size, channels, fit, classifier } = config;
  const { network, dynamic, augment, epochs, fold, seed } = place;
  return checkClassifierConfig(
    {
      ...DEFAULT_CLASSIFIER,
      ...classifier,
      ...network.settings,
      ...{ size, channels, fit, fold, seed, dynamic, augment: augmentedBy(augment), epochs },
      // All train for as long, on all that there is to train on; a validation part of the data set chooses the epoch.
      ...{ patience: epochs, keepBack: 0 },
    },
    `${source}: the network "${network.name}"`,
  );
}

const augmentedBy = (kinds: readonly string[]): AugmentConfig =>
  Object.assign({}, NO_AUGMENTATION, ...kinds.map((kind) => AUGMENTATIONS[kind]));
