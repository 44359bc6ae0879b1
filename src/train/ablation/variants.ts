/** The variants of an ablation: plain data, fields of the training config that are other than in the run asked for. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AUGMENTATIONS, NO_AUGMENTATION } from '../../data/augment.js';
import { firstFault } from '../../data/schema.js';
import { UserError } from '../../io/errors.js';
import { readText } from '../../io/files.js';
import { checkConfig, type TrainConfig, trainConfigSchema } from '../config.js';

const variantSchema = z.strictObject({
  name: z.string().trim().min(1).max(60).describe('of the folder of its runs, and in the tables'),
  what: z.string().default('').describe('what is other, in words'),
  overrides: z.record(z.string(), z.unknown()).describe('fields of config.json'),
});

export type Variant = Readonly<z.infer<typeof variantSchema>>;

const BASE: Variant = { name: 'base', what: 'the training that was asked for', overrides: {} };

/** Of what may happen to images before they are judged: these kinds alone. */
const augmentedBy = (...kinds: readonly string[]): Variant['overrides'] => ({
  augment: Object.assign({}, NO_AUGMENTATION, ...kinds.map((kind) => AUGMENTATIONS[kind])),
});

/** Without --variants, those of them that the base admits: each switch by itself. */
export const VARIANTS: readonly Variant[] = [
  BASE,
  { name: 'no attention', what: 'the generator without CBAM', overrides: { attention: false } },
  { name: 'no skips', what: 'the generator without skip connections', overrides: { residual: false } },
  { name: 'nearest', what: 'doubled by nearest pixels and a convolution', overrides: { upsampling: 'nearest' } },
  { name: 'conditional norm', what: 'scales and shifts by class in batch norms', overrides: { conditionalNorm: true } },
  { name: 'dynamic', what: 'dynamic convolutions in the generator', overrides: { dynamic: true } },
  { name: 'no average', what: "images by the last step's weights, not their average", overrides: { ema: null } },
  { name: 'hinge', what: 'hinge loss instead of cross-entropy', overrides: { adversarial: 'hinge' } },
  { name: 'smoothed', what: 'real images are to be 0.9 real', overrides: { realTarget: 0.9 } },
  { name: 'adc', what: 'a class for real and one for generated of each kind', overrides: { classHead: 'adc' } },
  {
    name: 'class loss of real only',
    what: 'the discriminator learns classes of real images alone',
    overrides: { classOnFakes: false },
  },
  { name: 'balanced reals', what: 'real images of each class equally often', overrides: { balanced: true } },
  {
    name: 'balanced fakes',
    what: 'as many generated images of each class in every batch',
    overrides: { balancedFakes: true },
  },
  {
    name: 'two updates',
    what: "two updates of the discriminator for each of the generator's",
    overrides: { discriminatorSteps: 2 },
  },
  {
    name: 'spectral warm-up',
    what: '15 power iterations before the first step',
    overrides: { spectralWarmUp: 15 },
  },
  { name: 'rmsprop', what: 'RMSprop instead of Adam', overrides: { optimizer: 'rmsprop' } },
  { name: 'momentum 0', what: "Adam's first moment without memory", overrides: { beta1: 0 } },
  {
    name: 'low rates',
    what: 'both networks learn at 0.0002, as the reference does',
    overrides: { learningRateG: 2e-4, learningRateD: 2e-4 },
  },
  {
    name: 'warm-up',
    what: 'learning rates rise over the first 50 steps',
    overrides: { warmUpSteps: 50 },
  },
  { name: 'linear', what: 'learning rates fall to 0 along a line', overrides: { rateSchedule: 'linear' } },
  { name: 'cosine', what: 'learning rates fall to 0 along a cosine', overrides: { rateSchedule: 'cosine' } },
  { name: 'shifted', what: 'images rolled in time and changed in gain', overrides: augmentedBy('time-shift', 'gain') },
  { name: 'cutout', what: 'a square of each image masked', overrides: augmentedBy('cutout') },
];

/** Those built in that are other than the base, and do not contradict it; and the base. */
export const variantsFor = (base: TrainConfig): readonly Variant[] =>
  VARIANTS.filter(({ overrides }) => {
    if (Object.keys(overrides).length === 0) return true;
    const config = trainConfigSchema.safeParse({ ...base, ...overrides });
    return config.success && !isDeepStrictEqual(config.data, base);
  });

/** What variants cannot change: what is compared would not be comparable. */
const SHARED = ['size', 'channels', 'fit', 'fold', 'seed'] as const satisfies readonly (keyof TrainConfig)[];

export interface ConfiguredVariant extends Variant {
  /** Of its runs, but for the seed. */
  readonly config: TrainConfig;
}

/** Variants from a JSON file: a list of {name, what, overrides}. Throws a UserError that names what is wrong in it. */
export async function readVariants(file: string): Promise<readonly Variant[]> {
  const text = await readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`"${file}" is not valid JSON: ${(error as Error).message}.`);
  }
  const variants = z.array(variantSchema).min(1).safeParse(value);
  if (variants.success) return variants.data;
  throw new UserError(
    `"${file}": ${firstFault(variants.error, value)}. It is a list such as [{"name": "hinge", "overrides": {"adversarial": "hinge"}}].`,
  );
}

/**
 * The variants on a config, the base first: one without overrides, which is added where there is none. Throws a UserError that
 * names the variant and the field if a config is wrong, a name comes twice, or what all must share is changed.
 */
export function configure(config: TrainConfig, variants: readonly Variant[]): ConfiguredVariant[] {
  const isBase = ({ overrides }: Variant): boolean => Object.keys(overrides).length === 0;
  const base = variants.find(isBase) ?? BASE;
  const ordered = [base, ...variants.filter((variant) => variant !== base)];
  return ordered.map((variant, i) => {
    const { name, overrides } = variant;
    if (ordered.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) < i) {
      throw new UserError(`There are two variants called "${name}": give each a name of its own.`);
    }
    const shared = SHARED.find((field) => Object.hasOwn(overrides, field));
    if (shared !== undefined) {
      throw new UserError(`The variant "${name}" changes "${shared}", which all variants have to share.`);
    }
    return { ...variant, config: checkConfig({ ...config, ...overrides }, `The variant "${name}"`) };
  });
}
