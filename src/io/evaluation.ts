/** evaluation.json: how good a run's generator is, in numbers, each beside what real images give. */
import { z } from 'zod';
import { UserError } from './errors.js';
import { readText } from './files.js';

/** Where they lie in a run's folder: the numbers, and generated images beside their nearest training images. */
export const EVALUATION_FILES = { numbers: 'evaluation.json', sheet: 'neighbours.png' } as const;

const count = z.int().min(0);

const measureSchema = z.union([
  z.strictObject({
    value: z.number(),
    interval: z.tuple([z.number(), z.number()]).readonly().optional().describe('95 %, by bootstrap; absent: too few'),
  }),
  z.strictObject({ reason: z.string().describe('why there is no number') }),
]);

/** One set of images against another, which is the reference. */
const comparisonSchema = z.strictObject({
  reference: count.describe('images'),
  compared: count.describe('images'),
  frechet: measureSchema.describe('squared Frechet distance; 0 for equal means and covariances'),
  kernel: measureSchema.describe('squared kernel distance; 0 on average where both are of one distribution'),
  precision: measureSchema.describe('share of the compared that lies among the reference'),
  recall: measureSchema.describe('share of the reference that lies among the compared'),
  density: measureSchema.describe('how densely the compared lie among the reference; 1 where they are alike'),
  coverage: measureSchema.describe('share of the reference that has a compared image near it'),
});

/** Comparisons with the training images of a class, or of all. */
const groupSchema = z.strictObject({
  generated: comparisonSchema,
  generatedFew: comparisonSchema.optional().describe('as many generated images as there are held-out ones'),
  heldOut: comparisonSchema.optional(),
  halves: comparisonSchema.describe('one half of the training images against the other'),
});

const accuracySchema = z.strictObject({
  overall: measureSchema,
  perClass: z.array(measureSchema).describe('of the images of each class, the share that was named rightly'),
});

export const evaluationSchema = z.strictObject({
  format: z.literal('lyrebird-evaluation/1'),
  checkpoint: z.string(),
  step: count,
  weights: z.enum(['ema', 'plain']).default('plain').describe("the generator's: averaged over steps, or the last"),
  seed: z.int().describe('of noise and draws'),
  k: z.int().min(1).describe('nearest neighbours of precision, recall, density and coverage'),
  classes: z.array(z.string()),
  counts: z.strictObject({ training: z.array(count), heldOut: z.array(count), generated: z.array(count) }),
  features: z.strictObject({
    dimensions: z.int(),
    trainedOn: count,
    validatedOn: count,
    validationAccuracy: z.number().optional(),
  }),
  notes: z.array(z.string()).describe('what a reader of the numbers should know'),
  overall: groupSchema,
  perClass: z.array(groupSchema),
  accuracy: z.strictObject({
    chance: z.number().describe('what always naming the commonest held-out class would get right'),
    real: accuracySchema.describe('trained on training images, tested on held-out ones'),
    ganTrain: accuracySchema.describe('trained on generated images, tested on held-out ones'),
    ganTest: accuracySchema.describe('trained on training images, tested on generated ones'),
  }),
  neighbours: z.strictObject({
    features: z.strictObject({
      nearer: measureSchema.describe(
        'chance that a generated image is nearer to a training image than a held-out one is',
      ),
      generated: z.array(z.number()).describe('distance of each generated image to its nearest training image'),
      heldOut: z.array(z.number()),
    }),
    pixels: z.strictObject({
      nearer: measureSchema,
      generated: z.array(z.number()).describe('root mean square of the differences of grey levels, black 0, white 1'),
      heldOut: z.array(z.number()),
    }),
  }),
});

export type Evaluation = z.infer<typeof evaluationSchema>;
export type Measure = z.infer<typeof measureSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;
export type ComparisonGroup = z.infer<typeof groupSchema>;
export type AccuracyMeasures = z.infer<typeof accuracySchema>;

/** Throws a UserError if the file cannot be read or is no evaluation. */
export async function readEvaluation(file: string): Promise<Evaluation> {
  const text = await readText(file);
  try {
    return evaluationSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(`"${file}" is damaged, or of another version: evaluate the run again.`, { cause: error });
  }
}
