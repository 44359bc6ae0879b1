/**
 * Checkpoints: one safetensors file that holds everything needed to go on, to generate, or to load the networks into
 * their PyTorch definition (the names behind `g.` and `d.` are a state_dict's).
 */
import path from 'node:path';
import { z } from 'zod';
import { firstFault, type Shown, shownSchema } from '../data/schema.js';
import { describe, UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../io/safetensors.js';
import type { Engine } from '../kernel/engine.js';
import type { Generator } from '../models/generator.js';
import type { Module } from '../nn/module.js';
import type { Network, State } from '../nn/network.js';
import type { LossScale } from '../optim/lossScale.js';
import type { Optimizer } from '../optim/optimizer.js';
import {
  BEST,
  checkpointFile,
  newestCheckpoints,
  noCheckpoints,
  prune,
  stepName,
  type Which,
} from './checkpointFiles.js';
import { checkConfig, type TrainConfig } from './config.js';
import { createGenerator } from './gan.js';
import type { Gan } from './ganStep.js';

/**
 * Version 2 may hold an average of the generator's weights (`ema.`), and its config has fields that the first version refuses.
 * What else is new since a file was written has a default (infoSchema, config.ts).
 */
const FORMAT = 'lyrebird-gan/2';
const READABLE = ['lyrebird-gan/1', FORMAT];

/** What a checkpoint says of itself besides its tensors. */
export interface CheckpointInfo {
  readonly step: number;
  readonly config: TrainConfig;
  /** Labels in the order of their numbers. */
  readonly classes: readonly string[];
  /** Whether the recordings were synthesised by this program. */
  readonly synthetic: boolean;
  /** SHA-256 of the images that it was trained on, in hexadecimal. */
  readonly data: string;
  /** The id of the tuning (kernel/choose.ts) that its last steps were made by. */
  readonly tuning: string;
  /** What its images show; null of pictures by others, which do not say. */
  readonly shown: Shown | null;
  /** Of the best checkpoint: by what it is the best (distance.ts). */
  readonly kernelDistance?: number | undefined;
}

export interface Checkpoint extends CheckpointInfo {
  readonly file: string;
  readonly tensors: State;
}

const infoSchema = z.object({
  step: z.coerce.number().int().min(0),
  classes: z.array(z.string()).min(1),
  synthetic: z.boolean(),
  data: z.string(),
  tuning: z.string().default('none'),
  shown: shownSchema.nullable().default(null),
  kernelDistance: z.number().optional(),
});

/**
 * Writes `<dir>/step-<step>.safetensors` whole or not at all, then removes older checkpoints (checkpointFiles.ts). Throws a
 * UserError, and leaves all as it was, if a weight is no longer a number.
 */
export async function saveCheckpoint(e: Engine, dir: string, gan: Gan, info: CheckpointInfo): Promise<string> {
  const file = path.join(dir, stepName(info.step));
  await writeAtomically(file, await serialise(e, gan, info));
  await prune(dir, info.config.keepEvery);
  return file;
}

/** Writes `<dir>/best.safetensors` in the place of the best so far. Throws as `saveCheckpoint` does. */
export async function saveBest(e: Engine, dir: string, gan: Gan, info: CheckpointInfo): Promise<void> {
  await writeAtomically(path.join(dir, BEST), await serialise(e, gan, info));
}

async function serialise(e: Engine, gan: Gan, info: CheckpointInfo): Promise<Uint8Array> {
  const tensors = new Map<string, WritableTensor>();
  for (const [prefix, network] of networks(gan)) {
    for (const [name, { shape, data }] of await network.state()) {
      if (!data.every(Number.isFinite)) {
        throw new UserError(
          `Training diverged: after step ${info.step} the weights ${prefix}${name} are no longer numbers, and are not saved. ` +
            'Train again with a lower --learning-rate or another --seed, into another --out.',
        );
      }
      tensors.set(prefix + name, { dtype: 'F32', shape, data });
    }
  }
  for (const [prefix, optimizer] of optimizers(gan)) {
    for (const [name, tensor] of Object.entries(optimizer.state())) {
      tensors.set(prefix + name, { dtype: 'F32', shape: tensor.shape, data: await e.read(tensor) });
    }
  }
  for (const [name, { state }] of lossScales(gan)) {
    tensors.set(name, { dtype: 'F32', shape: state.shape, data: await e.read(state) });
  }
  const { config, ...rest } = info;
  return writeSafetensors(tensors, { format: FORMAT, info: JSON.stringify(rest), config: JSON.stringify(config) });
}

/**
 * Reads a checkpoint file, or one of a folder's: of a run, or of checkpoints alone. Throws a UserError that says what is
 * wrong with it, and what is left.
 */
export async function readCheckpoint(fileOrRun: string, which: Which = 'last'): Promise<Checkpoint> {
  if (fileOrRun.endsWith('.safetensors')) {
    if (which === 'last') return parseCheckpoint(fileOrRun);
    throw new UserError(`"${fileOrRun}" is one checkpoint: name the folder of its run, or leave out --checkpoint.`);
  }
  if (which !== 'last') return parseCheckpoint(await checkpointFile(fileOrRun, which));
  const [newest, before] = await newestCheckpoints(fileOrRun);
  if (!newest) throw noCheckpoints(fileOrRun);
  try {
    return parseCheckpoint(newest);
  } catch (error) {
    if (!(error instanceof UserError) || !before) throw error;
    throw new UserError(`${error.message} Or move it away: the one before it, "${before}", is used then.`, {
      cause: error,
    });
  }
}

function parseCheckpoint(file: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(file);
  checkFormat(file, metadata.format);
  const { info, config } = parseDescription(file, metadata);
  const state = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, { shape, data }] of tensors) {
    if (!(data instanceof Float32Array)) throw new UserError(`"${file}": the tensor ${name} is not of float32 values.`);
    state.set(name, { shape, data });
  }
  return { ...info, config, file, tensors: state };
}

function checkFormat(file: string, format = 'missing'): void {
  if (READABLE.includes(format)) return;
  if (/^lyrebird-gan\/\d+$/.test(format)) {
    throw new UserError(
      `"${file}" was written by a newer version of this program (${format}, not ${FORMAT}): update it.`,
    );
  }
  throw new UserError(`"${file}" is not the checkpoint of a run (format ${format}, not ${FORMAT}).`);
}

/** What a checkpoint says of itself. */
function parseDescription(file: string, metadata: Readonly<Record<string, string>>) {
  try {
    const description: unknown = JSON.parse(metadata.info ?? '');
    const info = infoSchema.safeParse(description);
    if (!info.success) throw new UserError(firstFault(info.error, description));
    return { info: info.data, config: checkConfig(JSON.parse(metadata.config ?? ''), 'its config') };
  } catch (error) {
    throw new UserError(
      `"${file}": the description of the checkpoint is damaged (${describe(error)}). Use an older checkpoint.`,
    );
  }
}

/** Weights of a generator: the average over steps, or those of the last step. */
export const WEIGHTS = ['ema', 'plain'] as const;

export type Weights = (typeof WEIGHTS)[number];

/** Those asked for, else the average if there is one. Throws a UserError if there is none, and it was asked for. */
export function weightsOf({ file, tensors }: Checkpoint, asked?: Weights): Weights {
  const hasAverage = [...tensors.keys()].some((name) => name.startsWith('ema.'));
  if (asked === 'ema' && !hasAverage) {
    throw new UserError(`"${file}" holds no average of weights: it was trained without ("ema" of config.json).`);
  }
  return asked ?? (hasAverage ? 'ema' : 'plain');
}

/** A generator with the weights asked for, to make images with. */
export function openGenerator(e: Engine, checkpoint: Checkpoint, asked?: Weights): Network<Generator> {
  const g = createGenerator(e, checkpoint.config, checkpoint.classes.length, { trained: false });
  loadNetwork(checkpoint, generatorPrefix(checkpoint, asked), g);
  return g;
}

/** The weights asked for by themselves, by their names in a generator. */
export const generatorState = (checkpoint: Checkpoint, asked?: Weights): State =>
  stateBehind(checkpoint, generatorPrefix(checkpoint, asked));

const generatorPrefix = (checkpoint: Checkpoint, asked?: Weights) =>
  weightsOf(checkpoint, asked) === 'ema' ? 'ema.' : 'g.';

const stateBehind = ({ tensors }: Checkpoint, prefix: string): State =>
  new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value] as const),
  );

/** Loads one network's weights. */
export function loadNetwork(checkpoint: Checkpoint, prefix: 'g.' | 'd.' | 'ema.', network: Network<Module>): void {
  try {
    network.load(stateBehind(checkpoint, prefix));
  } catch (error) {
    throw new UserError(`"${checkpoint.file}" does not fit the network that its config describes: ${describe(error)}.`);
  }
}

/**
 * Loads everything: both networks, their optimisers and loss scales, the average. Scales that the checkpoint lacks, because it
 * was written where there was no f16, begin anew, and so does an average that was not kept before: from the generator as it is.
 */
export function loadGan(e: Engine, checkpoint: Checkpoint, gan: Gan): void {
  loadNetwork(checkpoint, 'g.', gan.g);
  loadNetwork(checkpoint, 'd.', gan.d);
  if (gan.ema) loadNetwork(checkpoint, weightsOf(checkpoint) === 'ema' ? 'ema.' : 'g.', gan.ema);
  gan.optimizerG.setStep(checkpoint.step);
  gan.optimizerD.setStep(checkpoint.step * checkpoint.config.discriminatorSteps);
  for (const [prefix, optimizer] of optimizers(gan)) {
    for (const [name, tensor] of Object.entries(optimizer.state())) {
      const saved = checkpoint.tensors.get(prefix + name);
      if (!saved || saved.data.length !== tensor.shape[0]) {
        throw new UserError(`"${checkpoint.file}": the optimiser's ${prefix + name} is missing or of another length.`);
      }
      e.write(tensor, saved.data);
    }
  }
  for (const [name, { state }] of lossScales(gan)) {
    const saved = checkpoint.tensors.get(name);
    if (saved && saved.data.length === state.shape[0]) e.write(state, saved.data);
  }
}

const networks = (gan: Gan): [string, Network<Module>][] => [
  ['g.', gan.g],
  ['d.', gan.d],
  ...(gan.ema ? [['ema.', gan.ema] as [string, Network<Module>]] : []),
];

const lossScales = ({ lossScaleG, lossScaleD }: Gan): (readonly [string, LossScale])[] =>
  Object.entries({ lossScaleG, lossScaleD }).flatMap(([name, scale]) => (scale ? [[name, scale] as const] : []));

const optimizers = (gan: Gan): [string, Optimizer][] => [
  ['optimizerG.', gan.optimizerG],
  ['optimizerD.', gan.optimizerD],
];
