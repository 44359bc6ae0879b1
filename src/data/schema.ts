/** `dataset.json`: what a data set's images are, where they come from, and what was left out. */

import { z } from 'zod';
import { UserError } from '../io/errors.js';
import { PARTS } from './parts.js';

export const datasetFormat = 'lyrebird-dataset/2';
/** Of earlier versions of this program: every recording had one label. */
const firstFormat = 'lyrebird-dataset/1';
export const indexName = 'dataset.json';

const seconds = z.number().positive().max(600);
const decibels = z.number().positive().max(200);

/**
 * How a spectrogram is made. Two data sets with equal parameters have comparable images. Fields with a default are younger
 * than the first data sets; the default says what those did.
 */
export const parametersSchema = z.preprocess(
  withTransform,
  z
    .strictObject({
      transform: z.enum(['morlet', 'morse', 'bump', 'mel', 'stft']).describe('wavelets, or short-time Fourier spectra'),
      fmin: z.number().positive().describe('frequency of the lowest row, Hz'),
      fmax: z.number().positive().describe('frequency of row 0, Hz'),
      w0: z.number().min(2).max(200).describe("of morlet: a row's frequency over its deviation in frequency"),
      beta: z.number().min(1).max(10_000).default(48).describe('of morse: decay of the spectrum towards 0 Hz'),
      gamma: z.number().min(0.5).max(20).default(3).describe('of morse: symmetry, 3 is the most symmetric'),
      mu: z.number().positive().max(1000).default(5).describe("of bump: the wavelet's centre frequency, radians"),
      sigma: z.number().positive().max(1000).default(0.6).describe('of bump: half of the band that it covers, radians'),
      frame: z.number().min(0.001).max(1).default(0.02).describe('of mel and stft: length of a frame, seconds'),
      frameHop: z.number().min(0.0002).max(1).default(0.005).describe('of mel and stft: between frames, seconds'),
      rangeDb: decibels.describe('decibels from black to white'),
      normalise: z
        .enum(['max', 'peak', 'rms', 'none'])
        .default('max')
        .describe(
          "what is white: max, the loudest pixel; peak or rms, a tone of the window's peak or root mean square; none, " +
            'a tone of full scale',
        ),
      removeDc: z.boolean().default(false).describe("whether each window's mean is taken off"),
      gateDb: decibels
        .nullable()
        .default(null)
        .describe('spectral gating: how far above the noise something must be to stay, dB'),
      size: z.int().min(8).max(4096).describe('pixels along each side'),
      window: seconds.describe('seconds an image spans'),
      hop: z.number().min(0.01).describe('seconds from one window to the next'),
      windows: z.enum(['grid', 'events']).default('grid').describe('every hop seconds, or where something sounds'),
      eventDb: decibels.default(12).describe('how far above the background an event begins, dB'),
      eventGap: z.number().min(0).max(60).default(0.2).describe('events closer than this are one, seconds'),
      eventLength: z.number().min(0).max(60).default(0.04).describe('shorter events are none, seconds'),
      maxWindows: z.int().min(1).nullable().default(null).describe('at most so many windows a recording'),
      noiseWindows: z.int().min(0).default(0).describe('at most so many windows a recording for the class noise'),
      silenceDb: z.number().max(0).describe('windows whose peak is below this are left out, dB of full scale'),
      clippedShare: z.number().min(0).max(1).default(0.001).describe('a window clips with more samples at full scale'),
      dropClipped: z.boolean().default(false).describe('whether windows that clip are left out'),
    })
    .refine(({ fmin, fmax }) => fmin < fmax, { path: ['fmax'], error: 'must be greater than fmin' })
    .refine(({ hop, window }) => hop <= window, {
      path: ['hop'],
      error: 'must be at most window, or sound is passed over',
    })
    .refine(({ frame, frameHop }) => 2 * frameHop <= frame, {
      path: ['frameHop'],
      error: 'must be at most half of frame, or sound is passed over',
    })
    .refine(({ mu, sigma }) => sigma < mu, { path: ['sigma'], error: 'must be less than mu' }),
);

/** Of a new data set. */
export const defaultParameters: Readonly<Parameters> = {
  transform: 'morlet',
  fmin: 500,
  fmax: 12000,
  w0: 12,
  beta: 48,
  gamma: 3,
  mu: 5,
  sigma: 0.6,
  frame: 0.02,
  frameHop: 0.005,
  rangeDb: 60,
  normalise: 'max',
  removeDc: true,
  gateDb: null,
  size: 256,
  window: 2,
  hop: 1,
  windows: 'grid',
  eventDb: 12,
  eventGap: 0.2,
  eventLength: 0.04,
  maxWindows: null,
  noiseWindows: 0,
  silenceDb: -60,
  clippedShare: 0.001,
  dropClipped: false,
};

/** Throws a UserError that names the first wrong one. */
export function checkParameters(given: unknown): Parameters {
  const parameters = parametersSchema.safeParse(given);
  if (parameters.success) return parameters.data;
  throw new UserError(`The setting ${firstFault(parameters.error, given)}.`);
}

/** The field was once called `wavelet`. */
function withTransform(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('wavelet' in value) || 'transform' in value) return value;
  const { wavelet: transform, ...others } = value;
  return { transform, ...others };
}

/** What the images of a data set show, and so do those that were generated after them. */
export const shownSchema = z.strictObject({
  parameters: parametersSchema,
  sampleRate: z.number().positive().describe('of the recordings of most images, Hz'),
});

const share = z.number().min(0).max(1);
const fractionsSchema = z
  .strictObject({ train: share.positive(), validation: share, test: share })
  .refine(({ train, validation, test }) => Math.abs(train + validation + test - 1) < 1e-6, {
    error: 'train, validation and test must sum to 1',
  });

export const splitSchema = z.strictObject({
  fractions: fractionsSchema,
  seed: z.int(),
  folds: z.int().min(2).max(1000).optional().describe('into so many folds; without one chosen, the first tests'),
  file: z.string().optional().describe('the table that it was taken from'),
  notes: z.array(z.string()).optional().describe('what a reader of results should know of the split'),
});

const recordingSchema = z.strictObject({
  label: z.string().optional().describe('of all of it; absent where annotations give labels'),
  recording: z.string(),
  recordist: z.string().optional(),
  source: z.string().describe('path below the folder of recordings, or "synthesised"'),
  fingerprint: z.string().describe('SHA-256 of the file, or of the samples, and of its annotations'),
  sampleRate: z.number().describe('Hz'),
  seconds: z.number(),
  note: z.string().optional().describe('damage that it was used in spite of'),
});

const imageSchema = z.strictObject({
  file: z.string().min(1).describe('path below the data set, with /'),
  label: z.string(),
  recording: z.string(),
  recordist: z.string().optional(),
  source: z.string().optional().describe("the recording's, where its label is not the image's"),
  start: z.number().min(0).describe('seconds into the recording'),
  seconds: z.number().positive(),
  low: z.number().optional().describe('of the band that was annotated, Hz'),
  high: z.number().optional(),
  confidence: z.number().optional().describe('of the recogniser that annotated it'),
  note: z.string().optional().describe('damage that it was used in spite of'),
  split: z.enum(PARTS),
  fold: z.int().min(0).optional().describe('absent for what is in its part whichever fold tests'),
});

const skippedSchema = z.strictObject({
  file: z.string(),
  start: z.number().optional().describe('of the window or annotation that was left out, seconds'),
  line: z.int().optional().describe('of the table that was left out; without start and line it is the whole file'),
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
  skippedLines: count.default(0).describe('of tables of annotations'),
});

export const indexSchema = z.strictObject({
  format: z.literal([datasetFormat, firstFormat]),
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
export type Shown = z.infer<typeof shownSchema>;
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

/** What fields there are, as a sentence, if the first fault is one that is none; `objects` by their path, '' for the whole. */
export function knownFields(error: z.ZodError, objects: Readonly<Record<string, { readonly shape: object }>>): string {
  const issue = error.issues[0]!;
  const known = issue.code === 'unrecognized_keys' ? objects[issue.path.map(String).join('.')] : undefined;
  return known ? ` The fields are ${Object.keys(known.shape).join(', ')}.` : '';
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
