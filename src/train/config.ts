/** What a training run is told: checked, saved as config.json, and part of every checkpoint. */
import { z } from 'zod';
import { augmentSchema, NO_AUGMENTATION } from '../data/augment.js';
import { firstFault, knownFields } from '../data/schema.js';
import { UserError } from '../io/errors.js';
import { readText } from '../io/files.js';
import { FITS } from '../io/pixels.js';
import type { DiscriminatorConfig } from '../models/discriminator.js';
import { type GeneratorConfig, generatedSize, UPSAMPLING } from '../models/generator.js';
import { ADVERSARIAL, CLASS_HEADS } from './objective.js';
import { PRECISIONS } from './precision.js';
import { RATE_SCHEDULES } from './rates.js';

export const SIZES = [32, 64, 128, 256] as const;

/** What a CPU trains in minutes. */
export const DEFAULT_SIZE = 32;

/** Those of src/optim/optimizer.ts that the networks may be trained with. */
export const GAN_OPTIMIZERS = ['adam', 'rmsprop'] as const;

const width = z.int().min(1).max(4096);
const rate = z.number().positive().max(1);

export const trainConfigSchema = z
  .strictObject({
    size: z.literal(SIZES).describe('side of the images in pixels'),
    channels: z.literal([1, 3]).default(1).describe('1: grey, 3: red, green and blue'),
    fit: z.enum(FITS).default('stretch').describe('how pictures that are not square become square'),
    fold: z.int().min(0).nullable().default(null).describe('that tests; null: the parts that the data set lists'),
    balanced: z.boolean().default(false).describe('whether each class is drawn equally often, instead of each image'),
    augment: augmentSchema.default(NO_AUGMENTATION).describe('what may happen to every image before it is judged'),
    precision: z
      .enum(PRECISIONS)
      .default('f32')
      .describe('f16: activations and copies of weights in f16, all that is summed or kept in f32'),
    batch: z.int().min(1).max(4096).describe('real images a step'),
    steps: z.int().min(1).max(100_000_000).describe('updates of the generator'),
    seed: z.int().min(0).describe('of weights, noise and shuffling'),
    latent: z.int().min(1).max(4096).describe('length of the noise vector'),
    base: z.int().min(2).max(64).describe("side of the generator's first feature map"),
    generatorWidths: z.array(width).min(2).describe('channels at each resolution, base to size'),
    attention: z.boolean().default(true).describe('CBAM in the generator'),
    residual: z.boolean().default(true).describe('skip connections in the generator'),
    upsampling: z
      .enum(UPSAMPLING)
      .default('transposed')
      .describe('how the generator doubles images: a transposed convolution, or nearest pixels and a convolution'),
    dynamic: z.boolean().default(false).describe('dynamic convolutions in the generator'),
    conditionalNorm: z.boolean().default(false).describe('scales and shifts by class in its batch norms'),
    discriminatorWidths: z.array(width).length(4).describe('channels of the four convolutions'),
    adversarial: z.enum(ADVERSARIAL).describe('loss of real against generated'),
    realTarget: z
      .number()
      .min(0.5)
      .max(1)
      .default(1)
      .describe('of bce: what the discriminator is to say of real images; 0.9 smooths labels on one side'),
    classHead: z
      .enum(CLASS_HEADS)
      .default('ac')
      .describe('ac: one class for real and generated images of a kind; adc: one for each of the two'),
    classOnFakes: z.boolean().describe("whether the discriminator's class loss counts generated images"),
    balancedFakes: z
      .boolean()
      .default(false)
      .describe('whether each batch of generated images has as many of each class, instead of what chance draws'),
    discriminatorSteps: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe("the discriminator's updates for each of the generator's, each on a batch of its own"),
    optimizer: z.enum(GAN_OPTIMIZERS).default('adam').describe('of both networks'),
    learningRateG: rate,
    learningRateD: rate,
    rateSchedule: z
      .enum(RATE_SCHEDULES)
      .default('constant')
      .describe('linear and cosine: both learning rates fall to 0 at the last step'),
    warmUpSteps: z.int().min(0).default(0).describe('steps in which both learning rates rise to where they begin'),
    beta1: z.number().min(0).lt(1).describe("of Adam's first moment"),
    beta2: z.number().min(0).lt(1).describe("of Adam's second moment"),
    ema: z
      .number()
      .min(0)
      .lt(1)
      .nullable()
      .default(null)
      .describe("decay of the average of the generator's weights that images are made with; null: no average"),
    spectralWarmUp: z
      .int()
      .min(0)
      .max(1000)
      .default(0)
      .describe("power iterations of the discriminator's spectral norms before the first step; 15 are enough"),
    watch: z.boolean().default(true).describe('whether a run that learns nothing more stops, and says why'),
    sampleEvery: z.int().min(1).describe('steps between sample grids'),
    checkpointEvery: z.int().min(1).describe('steps between checkpoints; the newest three stay'),
    keepEvery: z.int().min(1).nullable().default(null).describe('steps between checkpoints that stay for good'),
    checkpointActivations: z
      .boolean()
      .default(false)
      .describe('whether activations are computed again for the gradients: less memory, for more time'),
  })
  .refine((config) => generatedSize(config.base, config.generatorWidths) === config.size, {
    path: ['generatorWidths'],
    error: ({ input }) => {
      const { base, generatorWidths, size } = input as { base: number; generatorWidths: number[]; size: number };
      const made = generatedSize(base, generatorWidths);
      return `gives images of ${made} pixels, not ${size}: each entry after the first doubles base (${base})`;
    },
  })
  .refine(({ adversarial, realTarget }) => adversarial === 'bce' || realTarget === 1, {
    path: ['realTarget'],
    error: 'must be 1 unless "adversarial" is "bce": no other loss has targets',
  })
  .refine(({ classHead, classOnFakes }) => classHead === 'ac' || classOnFakes, {
    path: ['classOnFakes'],
    error: 'must be true if "classHead" is "adc", which has classes for generated images',
  })
  .refine(({ warmUpSteps, steps }) => warmUpSteps < steps, {
    path: ['warmUpSteps'],
    error: 'must be less than "steps"',
  });

export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** Throws a UserError that names the field and its value. `source` says where the config comes from. */
export function checkConfig(value: unknown, source: string): TrainConfig {
  const config = trainConfigSchema.safeParse(value);
  if (config.success) return config.data;
  const known = knownFields(config.error, { '': trainConfigSchema, augment: augmentSchema });
  throw new UserError(`${source}: ${firstFault(config.error, value)}.${known}`);
}

/** The fields in a JSON file, unchecked. Throws a UserError if it holds no JSON object. */
export async function readConfigFile(file: string): Promise<object> {
  const text = await readText(file);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new UserError(`"${file}" is not valid JSON: ${(error as Error).message}.`);
  }
  throw new UserError(`"${file}" must hold a JSON object with fields of config.json.`);
}

export const PRESETS = ['small', 'reference', 'medium', 'paper'] as const;

export type Preset = (typeof PRESETS)[number];

type Widths = Pick<TrainConfig, 'base' | 'generatorWidths'>;

/** The generators that the reference is timed with; the one of 256 x 256 is the paper's. */
const REFERENCE: Readonly<Record<TrainConfig['size'], Widths>> = {
  32: { base: 4, generatorWidths: [64, 64, 32, 16] },
  64: { base: 4, generatorWidths: [128, 128, 64, 32, 16] },
  128: { base: 8, generatorWidths: [128, 128, 64, 32, 16] },
  256: { base: 8, generatorWidths: [256, 256, 128, 64, 32, 16] },
};

/** Half of the reference's widths: what a CPU adapter trains in minutes at 32 x 32. */
const halved = ({ base, generatorWidths }: Widths): Widths => ({
  base,
  generatorWidths: generatorWidths.map((w) => Math.max(8, w / 2)),
});

type Own = Partial<Pick<TrainConfig, 'size'>>;

/** What presets differ in: a size of their own, if they have one; how long and how fast they learn. */
const KINDS: Readonly<Record<Preset, Pick<TrainConfig, 'steps' | 'learningRateG' | 'learningRateD'> & Own>> = {
  small: { steps: 500, learningRateG: 2e-3, learningRateD: 1e-3 },
  reference: { steps: 2000, learningRateG: 2e-4, learningRateD: 2e-4 },
  medium: { size: 128, steps: 10_000, learningRateG: 2e-4, learningRateD: 2e-4 },
  paper: { size: 256, steps: 20_000, learningRateG: 2e-4, learningRateD: 2e-4 },
};

/** The settings of a preset at a size; `medium` is 128 x 128 and `paper` 256 x 256 whatever the size. */
export function presetConfig(preset: Preset, size: TrainConfig['size']): TrainConfig {
  const { size: own, ...kind } = KINDS[preset];
  const actual = own ?? size;
  const widths = preset === 'small' ? halved(REFERENCE[actual]) : REFERENCE[actual];
  return {
    size: actual,
    channels: 1,
    fit: 'stretch',
    fold: null,
    balanced: false,
    augment: NO_AUGMENTATION,
    precision: 'f32',
    batch: 16,
    ...kind,
    seed: 1,
    latent: 100,
    ...widths,
    attention: true,
    residual: true,
    upsampling: 'transposed',
    dynamic: false,
    conditionalNorm: false,
    discriminatorWidths: [16, 32, 64, 128],
    adversarial: 'bce',
    realTarget: 1,
    classHead: 'ac',
    classOnFakes: true,
    balancedFakes: false,
    discriminatorSteps: 1,
    optimizer: 'adam',
    rateSchedule: 'constant',
    warmUpSteps: 0,
    beta1: 0.5,
    beta2: 0.999,
    ema: 0.999,
    spectralWarmUp: 0,
    watch: true,
    sampleEvery: 100,
    checkpointEvery: 100,
    keepEvery: null,
    checkpointActivations: false,
  };
}

export function generatorConfig(config: TrainConfig, classes: number): GeneratorConfig {
  const { channels, latent, base, generatorWidths, attention, residual, upsampling, dynamic, conditionalNorm } = config;
  const blocks = { attention, residual, upsampling, dynamic, conditionalNorm };
  return { classes, channels, latent, base, widths: generatorWidths, ...blocks };
}

export function discriminatorConfig(config: TrainConfig, classes: number): DiscriminatorConfig {
  const { channels, size, discriminatorWidths, classHead } = config;
  return { classes, channels, size, widths: discriminatorWidths, discriminative: classHead === 'adc' };
}
