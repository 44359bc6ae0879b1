/**
 * A classifier on disk, in the folder of its training:
 *
 *   model.safetensors        its best weights, by torchvision's names, and all that is needed to use it
 *   checkpoint.safetensors   where its training stands: `last.*`, `best.*`, `optimizer.*`
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { firstFault, shownSchema } from '../data/schema.js';
import { describe, UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../io/safetensors.js';
import type { Engine } from '../kernel/engine.js';
import type { Classifier, ClassifierOptions } from '../models/classifier.js';
import { classifiers } from '../models/classifiers.js';
import { Network, type State } from '../nn/network.js';
import type { ClassifierState, EpochRecord } from '../train/classifier.js';
import { type ClassifierRunConfig, checkClassifierConfig } from './config.js';

const MODEL_FORMAT = 'lyrebird-classifier/1';
const CHECKPOINT_FORMAT = 'lyrebird-classifier-checkpoint/1';

export const MODEL = 'model.safetensors';
export const CHECKPOINT = 'checkpoint.safetensors';

/** What is known of a classifier besides its weights. */
const infoSchema = z.object({
  classes: z.array(z.string()).min(1),
  /** What its images show; null of pictures by others, which do not say. */
  shown: shownSchema.nullable(),
  /** Whether the recordings were synthesised by this program. */
  synthetic: z.boolean(),
  /** Epoch of the weights. */
  epoch: z.int(),
  /** What is named with less probability is called unknown; see `chooseThreshold`. Null: not known, there was no validation. */
  threshold: z.number().min(0).max(1).nullable(),
});

export type ModelInfo = z.infer<typeof infoSchema>;

export interface Model {
  readonly file: string;
  readonly config: ClassifierRunConfig;
  readonly info: ModelInfo;
  readonly weights: State;
}

/** How the network of a config is built. */
export function classifierOptions(config: ClassifierRunConfig, classes: number): ClassifierOptions {
  const { channels, width, dropout, dynamic, dynamicHead } = config;
  return { classes, channels, width, dynamic, dynamicHead, ...(dropout !== null && { dropout }) };
}

/** The network of a config, with its first weights. */
export const createClassifier = (e: Engine, config: ClassifierRunConfig, classes: number): Network<Classifier> =>
  new Network(e, classifiers[config.network](classifierOptions(config, classes)), config.seed);

/** Where the model of a folder lies, or the file itself. */
const modelFile = (fileOrFolder: string): string =>
  fileOrFolder.endsWith('.safetensors') ? fileOrFolder : path.join(fileOrFolder, MODEL);

/** Whether this is the folder, or the model, of a classifier. */
export function isClassifier(fileOrFolder: string): boolean {
  const file = modelFile(fileOrFolder);
  return existsSync(file) && readSafetensors(file).metadata.format === MODEL_FORMAT;
}

export async function writeModel(file: string, { config, info, weights }: Omit<Model, 'file'>): Promise<void> {
  const metadata = { format: MODEL_FORMAT, config: JSON.stringify(config), info: JSON.stringify(info) };
  await writeAtomically(file, writeSafetensors(writable('', weights), metadata));
}

/** Reads a model's file, or that of a folder. Throws a UserError that says what is wrong with it. */
export function readModel(fileOrFolder: string): Model {
  const file = modelFile(fileOrFolder);
  if (!existsSync(file)) {
    throw new UserError(
      `"${file}" is not there: name a classifier's folder (lyrebird train-classifier --out), or its ${MODEL}.`,
    );
  }
  const { tensors, metadata } = readSafetensors(file);
  checkFormat(file, metadata.format, MODEL_FORMAT);
  const { config, rest } = described(file, metadata.config, metadata.info, infoSchema);
  return { file, config, info: rest, weights: floats(file, tensors) };
}

/** A model in memory. */
export function openModel(e: Engine, { file, config, info, weights }: Model): Network<Classifier> {
  const network = createClassifier(e, config, info.classes.length);
  try {
    network.load(weights);
  } catch (error) {
    network.destroy();
    throw new UserError(`"${file}" does not fit the network that its config describes: ${describe(error)}.`);
  }
  return network;
}

const recordSchema = z.object({
  epoch: z.int(),
  step: z.int(),
  loss: z.number(),
  learningRate: z.number(),
  validation: z.object({ loss: z.number(), accuracy: z.number() }).optional(),
});

const stateSchema = z.object({
  step: z.int().min(0),
  history: z.array(recordSchema),
  losses: z.array(z.number()),
  bestEpoch: z.int().nullable(),
  /** SHA-256 of the images that it is trained on, and of the weights that it was given to begin with. */
  data: z.string(),
  /** Seconds that it has taken so far; checkpoints of before this field do not tell. */
  seconds: z.number().min(0).default(0),
  /** The id of the tuning (kernel/choose.ts) that its last steps were made by; likewise. */
  tuning: z.string().optional(),
});

export interface ClassifierCheckpoint {
  readonly file: string;
  readonly config: ClassifierRunConfig;
  readonly data: string;
  readonly seconds: number;
  readonly tuning?: string | undefined;
  readonly state: ClassifierState;
}

/** Writes the checkpoint of a folder whole or not at all. */
export async function writeClassifierCheckpoint(
  folder: string,
  { config, data, seconds, tuning, state }: Omit<ClassifierCheckpoint, 'file'>,
): Promise<void> {
  const { step, history, losses, weights, optimizer, best } = state;
  const tensors = new Map([...writable('last.', weights), ...(best ? writable('best.', best.weights) : [])]);
  for (const [name, values] of optimizer) {
    tensors.set(`optimizer.${name}`, { dtype: 'F32', shape: [values.length], data: values });
  }
  const info = { step, history, losses, bestEpoch: best?.record.epoch ?? null, data, seconds, tuning };
  const metadata = { format: CHECKPOINT_FORMAT, config: JSON.stringify(config), info: JSON.stringify(info) };
  await writeAtomically(path.join(folder, CHECKPOINT), writeSafetensors(tensors, metadata));
}

/** The checkpoint of a folder; undefined if there is none. Throws a UserError that says what is wrong with it. */
export function readClassifierCheckpoint(folder: string): ClassifierCheckpoint | undefined {
  const file = path.join(folder, CHECKPOINT);
  if (!existsSync(file)) return undefined;
  const { tensors, metadata } = readSafetensors(file);
  checkFormat(file, metadata.format, CHECKPOINT_FORMAT);
  const { config, rest } = described(file, metadata.config, metadata.info, stateSchema);
  const { bestEpoch, data, seconds, tuning, ...state } = rest;
  const all = floats(file, tensors);
  const below = (prefix: string): State =>
    new Map([...all].flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])));
  const record = state.history.find(({ epoch }): boolean => epoch === bestEpoch) as EpochRecord | undefined;
  const optimizer = new Map([...below('optimizer.')].map(([name, value]) => [name, value.data]));
  const best = record && { record, weights: below('best.') };
  return { file, config, data, seconds, tuning, state: { ...state, weights: below('last.'), optimizer, best } };
}

const writable = (prefix: string, weights: State): Map<string, WritableTensor> =>
  new Map([...weights].map(([name, { shape, data }]) => [prefix + name, { dtype: 'F32', shape, data }]));

function floats(file: string, tensors: ReturnType<typeof readSafetensors>['tensors']): State {
  return new Map(
    [...tensors].map(([name, { shape, data }]) => {
      if (!(data instanceof Float32Array))
        throw new UserError(`"${file}": the tensor ${name} is not of float32 values.`);
      return [name, { shape, data }];
    }),
  );
}

function checkFormat(file: string, format: string | undefined, wanted: string): void {
  if (format === wanted) return;
  const [kind] = wanted.split('/');
  if (format?.startsWith(`${kind}/`)) {
    throw new UserError(
      `"${file}" was written by a newer version of this program (${format}, not ${wanted}): update it.`,
    );
  }
  throw new UserError(
    `"${file}" is not of a classifier of this program (format ${format ?? 'missing'}, not ${wanted}).`,
  );
}

/** What a file says of itself. */
function described<T>(file: string, config: string | undefined, info: string | undefined, schema: z.ZodType<T>) {
  try {
    const value: unknown = JSON.parse(info ?? '');
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new UserError(firstFault(parsed.error, value));
    return { rest: parsed.data, config: checkClassifierConfig(JSON.parse(config ?? ''), 'its config') };
  } catch (error) {
    throw new UserError(`"${file}": its description is damaged (${describe(error)}). Train the classifier again.`);
  }
}
