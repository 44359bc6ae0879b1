/** The variants of an ablation: plain data, fields of the training config that are other than in the run asked for. */
import { z } from 'zod';
import { AUGMENTATIONS, NO_AUGMENTATION } from '../../data/augment.js';
import { firstFault } from '../../data/schema.js';
import { UserError } from '../../io/errors.js';
import { readText } from '../../io/files.js';
import { checkConfig, type TrainConfig } from '../config.js';

const variantSchema = z.strictObject({
  name: z.string().trim().min(1).max(60).describe('of the folder of its runs, and in the tables'),
  what: z.string().default('').describe('what is other, in words'),
  overrides: z.record(z.string(), z.unknown()).describe('fields of config.json'),
});

export type Variant = Readonly<z.infer<typeof variantSchema>>;

const BASE: Variant = { name: 'base', what: 'the training that was asked for', overrides: {} };

/** Without --variants: each switch by itself, off where it is on, and on where it is off. */
export const VARIANTS: readonly Variant[] = [
  BASE,
  { name: 'hinge', what: 'hinge loss instead of cross-entropy', overrides: { adversarial: 'hinge' } },
  {
    name: 'class loss of real only',
    what: 'the discriminator learns classes of real images alone',
    overrides: { classOnFakes: false },
  },
  { name: 'average', what: "images by an average of the generator's weights", overrides: { ema: 0.99 } },
  { name: 'momentum 0', what: "Adam's first moment without memory", overrides: { beta1: 0 } },
  {
    name: 'equal rates',
    what: 'both networks learn at 0.0002, as the reference does',
    overrides: { learningRateG: 2e-4, learningRateD: 2e-4 },
  },
  {
    name: 'shifted',
    what: 'images rolled in time and made louder or softer before they are judged',
    overrides: { augment: { ...NO_AUGMENTATION, ...AUGMENTATIONS['time-shift'], ...AUGMENTATIONS.gain } },
  },
  {
    name: 'masked',
    what: 'bands of time and frequency blackened before images are judged',
    overrides: { augment: { ...NO_AUGMENTATION, ...AUGMENTATIONS['time-mask'], ...AUGMENTATIONS['frequency-mask'] } },
  },
  { name: 'balanced', what: 'real images of each class equally often', overrides: { balanced: true } },
  { name: 'latent 32', what: 'noise of 32 numbers', overrides: { latent: 32 } },
];

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
