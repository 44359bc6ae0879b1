/** What the training of a classifier is told: checked, saved as config.json, and part of its checkpoint and of its model. */
import { z } from 'zod';
import { augmentSchema, NO_AUGMENTATION } from '../data/augment.js';
import { firstFault, knownFields } from '../data/schema.js';
import { UserError } from '../io/errors.js';
import { FITS } from '../io/pixels.js';
import { CLASSIFIER_NAMES, classifiers } from '../models/classifiers.js';
import { RATE_SCHEDULES } from '../train/rates.js';

const share = z.number().min(0).lt(1);

export const classifierSchema = z.strictObject({
  network: z.enum(CLASSIFIER_NAMES).describe("by torchvision's names"),
  dynamic: z.boolean().describe('whether convolutions are dynamic (Li et al. 2021)'),
  dynamicHead: z.boolean().describe('whether the last layer is'),
  width: z.number().positive().max(4).describe('factor of all widths'),
  dropout: share.nullable().describe("before the last layers; null: torchvision's"),
  size: z.int().min(8).max(1024).describe('side of the images in pixels'),
  channels: z.literal([1, 3]).describe('1: grey, 3: red, green and blue'),
  fit: z.enum(FITS).describe('how pictures that are not square become square'),
  fold: z.int().min(0).nullable().describe('that tests; null: the parts that the data set lists'),
  keepBack: share.describe('of the training recordings, to see when to stop, where there is no validation part'),
  augment: augmentSchema.describe('what may happen to training images'),
  mixup: z.number().min(0).max(10).describe('strength of blending training images; 0: none'),
  balanced: z.boolean().describe('whether each class is drawn equally often, instead of each image'),
  classWeights: z.boolean().describe('whether images of rare classes count for more, so that each class counts alike'),
  optimizer: z.enum(['adamw', 'sgd']),
  learningRate: z.number().positive().max(1),
  schedule: z.enum(RATE_SCHEDULES).describe('how the learning rate falls'),
  warmUp: z.number().min(0).max(1000).describe('epochs in which it rises'),
  weightDecay: z.number().min(0).max(1),
  momentum: share.describe('of sgd'),
  labelSmoothing: share,
  batch: z.int().min(2).max(4096),
  epochs: z.int().min(1).max(100_000).describe('at most'),
  patience: z.int().min(1).describe('epochs without a lower validation loss after which it stops'),
  seed: z.int().min(0).describe('of weights, shuffling, dropout, augmentation and mixup'),
});

export type ClassifierRunConfig = z.infer<typeof classifierSchema>;

/** What is used where nothing else is asked for: a network that a CPU trains in minutes on small images. */
export const DEFAULT_CLASSIFIER: ClassifierRunConfig = {
  network: 'resnet18',
  dynamic: false,
  dynamicHead: false,
  width: 0.25,
  dropout: null,
  size: 32,
  channels: 1,
  fit: 'stretch',
  fold: null,
  keepBack: 0.15,
  augment: NO_AUGMENTATION,
  mixup: 0,
  balanced: false,
  classWeights: false,
  optimizer: 'adamw',
  learningRate: 2e-3,
  schedule: 'cosine',
  warmUp: 1,
  weightDecay: 0.05,
  momentum: 0.9,
  labelSmoothing: 0.1,
  batch: 32,
  epochs: 30,
  patience: 10,
  seed: 1,
};

/** Throws a UserError that names the field and its value. `source` says where the config comes from. */
export function checkClassifierConfig(value: unknown, source: string): ClassifierRunConfig {
  const config = classifierSchema.safeParse(value);
  if (config.success) return checkedSize(config.data, source);
  const known = knownFields(config.error, { '': classifierSchema, augment: augmentSchema });
  throw new UserError(`${source}: ${firstFault(config.error, value)}.${known}`);
}

/** Each network halves its images so often: VGG16 has nothing left of smaller ones. */
function checkedSize(config: ClassifierRunConfig, source: string): ClassifierRunConfig {
  const { network, size } = config;
  const { leastSide } = classifiers[network]({ classes: 1 });
  if (size >= leastSide) return config;
  throw new UserError(
    `${source}: "size" (${size}): ${network} takes images of ${leastSide} x ${leastSide} pixels at least.`,
  );
}
