/** `dataset.json`: what a data set's images are, where they come from, and what was left out. */

import { z } from 'zod';

export const datasetFormat = 'lyrebird-dataset/1';
export const indexName = 'dataset.json';

/** How a spectrogram is made. Two data sets with equal parameters have comparable images. */
export const parametersSchema = z
  .strictObject({
    wavelet: z.string().min(1).describe('the mother wavelet'),
    fmin: z.number().positive().describe('frequency of the lowest row, Hz'),
    fmax: z.number().positive().describe('frequency of row 0, Hz'),
    w0: z.number().positive().describe("the wavelet's centre frequency times its width, radians"),
    rangeDb: z.number().positive().describe('decibels from black to white; white is the window’s maximum'),
    window: z.number().positive().max(600).describe('seconds an image spans'),
    hop: z.number().min(0.01).describe('seconds from one window to the next'),
    size: z.int().min(8).max(4096).describe('pixels along each side'),
    silenceDb: z.number().max(0).describe('windows whose peak is below this are left out, dB of full scale'),
  })
  .refine(({ fmin, fmax }) => fmin < fmax, { path: ['fmax'], error: 'must be greater than fmin' })
  .refine(({ hop, window }) => hop <= window, {
    path: ['hop'],
    error: 'must be at most window, or sound is passed over',
  });

const share = z.number().min(0).max(1);
const fractionsSchema = z
  .strictObject({ train: share.positive(), validation: share, test: share })
  .refine(({ train, validation, test }) => Math.abs(train + validation + test - 1) < 1e-6, {
    error: 'train, validation and test must sum to 1',
  });

export const splitSchema = z.strictObject({ fractions: fractionsSchema, seed: z.int() });

const part = z.enum(['train', 'validation', 'test']);

const recordingSchema = z.strictObject({
  label: z.string(),
  recording: z.string(),
  recordist: z.string().optional(),
  source: z.string().describe('path below the folder of recordings, or "synthesised"'),
  fingerprint: z.string().describe('SHA-256 of the file, or of the samples'),
  sampleRate: z.number().describe('Hz'),
  seconds: z.number(),
  note: z.string().optional().describe('damage that it was used in spite of'),
});

const imageSchema = z.strictObject({
  file: z.string().min(1).describe('path below the data set, with /'),
  label: z.string(),
  recording: z.string(),
  recordist: z.string().optional(),
  start: z.number().min(0).describe('seconds into the recording'),
  seconds: z.number().positive(),
  split: part,
});

const skippedSchema = z.strictObject({
  file: z.string(),
  start: z.number().optional().describe('of the window, seconds; absent when the whole file was left out'),
  reason: z.string(),
});

const count = z.int().min(0);
const countsSchema = z.strictObject({
  recordings: count,
  images: count,
  train: count,
  validation: count,
  test: count,
  skippedFiles: count,
  skippedWindows: count,
});

export const indexSchema = z.strictObject({
  format: z.literal(datasetFormat),
  complete: z.boolean().describe('false while it is being made, and after it was stopped'),
  parameters: parametersSchema,
  split: splitSchema,
  classes: z
    .array(z.string())
    .refine((labels) => new Set(labels).size === labels.length, { error: 'must not name a class twice' }),
  counts: countsSchema,
  notes: z.array(z.string()).describe('what a reader of results should know'),
  recordings: z.array(recordingSchema),
  images: z.array(imageSchema),
  skipped: z.array(skippedSchema),
});

export type Parameters = z.infer<typeof parametersSchema>;
export type DatasetIndex = z.infer<typeof indexSchema>;
export type DatasetRecording = z.infer<typeof recordingSchema>;
export type DatasetImage = z.infer<typeof imageSchema>;
export type SkippedEntry = z.infer<typeof skippedSchema>;

/** The first fault that zod found, as "field (value): what it should be". */
export function firstFault(error: z.ZodError, value: unknown): string {
  const issue = error.issues[0]!;
  const field = issue.path.map(String).join('.');
  const found = issue.path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
  const shown = found === undefined ? 'missing' : (JSON.stringify(found) ?? String(found)).slice(0, 60);
  const fault = faultOf(issue);
  return field ? `"${field}" (${shown}): ${fault}` : fault;
}

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** What is asked for, in words. */
function faultOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'unrecognized_keys':
      return `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    case 'too_small': {
      if (issue.origin === 'array') return `must have ${issue.exact ? '' : 'at least '}${issue.minimum} entries`;
      return issue.origin === 'string'
        ? 'must not be empty'
        : `must be ${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`;
    }
    case 'too_big':
      if (issue.origin === 'array') return `must have ${issue.exact ? '' : 'at most '}${issue.maximum} entries`;
      return `must be ${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}`;
    default:
      return issue.message;
  }
}
