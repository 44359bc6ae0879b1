/**
 * Checkpoints: one safetensors file that holds everything needed to go on, to generate, or to load the networks into
 * their PyTorch definition (the names behind `g.` and `d.` are a state_dict's).
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { firstFault, type Shown, shownSchema } from '../data/schema.js';
import { describe, systemCode, toUserError, UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../io/safetensors.js';
import type { Engine } from '../kernel/engine.js';
import type { Module } from '../nn/module.js';
import type { Network, State } from '../nn/network.js';
import type { LossScale } from '../optim/lossScale.js';
import type { Optimizer } from '../optim/optimizer.js';
import { checkConfig, type TrainConfig } from './config.js';
import type { Gan } from './ganStep.js';

const FORMAT = 'lyrebird-gan/1';

/** The newest checkpoints of a run, which are kept. */
const KEPT = 3;

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
});

/**
 * Writes `<dir>/step-<step>.safetensors` whole or not at all, then removes older checkpoints: all but the newest three and those of
 * every `keepEvery` steps.
 */
export async function saveCheckpoint(e: Engine, dir: string, gan: Gan, info: CheckpointInfo): Promise<string> {
  const tensors = new Map<string, WritableTensor>();
  for (const [prefix, network] of networks(gan)) {
    for (const [name, { shape, data }] of await network.state())
      tensors.set(prefix + name, { dtype: 'F32', shape, data });
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
  const file = path.join(dir, `step-${String(info.step).padStart(6, '0')}.safetensors`);
  const metadata = {
    format: FORMAT,
    info: JSON.stringify(rest),
    config: JSON.stringify(config),
  };
  await writeAtomically(file, writeSafetensors(tensors, metadata));
  const { keepEvery } = config;
  const stays = (name: string): boolean => keepEvery !== null && stepOf(name) % keepEvery === 0;
  const old = (await checkpointsIn(dir)).slice(0, -KEPT).filter((name) => !stays(name));
  for (const name of old) await rm(path.join(dir, name), { force: true });
  return file;
}

/**
 * Reads a checkpoint file, or the newest one of a folder: of a run, or of checkpoints alone. Throws a UserError that says
 * what is wrong with it, and what is left.
 */
export async function readCheckpoint(fileOrRun: string): Promise<Checkpoint> {
  if (fileOrRun.endsWith('.safetensors')) return parseCheckpoint(fileOrRun);
  const [newest, before] = await checkpointsOf(fileOrRun);
  if (!newest) {
    throw new UserError(
      `"${fileOrRun}" holds no checkpoints: name a run's folder, or a file checkpoints/step-....safetensors.`,
    );
  }
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

/** Version 1 is the only one so far; a field that is new since a file was written has a default (infoSchema, config.ts). */
function checkFormat(file: string, format: string | undefined): void {
  if (format === FORMAT) return;
  if (/^lyrebird-gan\/\d+$/.test(format ?? '')) {
    throw new UserError(
      `"${file}" was written by a newer version of this program (${format}, not ${FORMAT}): update it.`,
    );
  }
  throw new UserError(`"${file}" is not a checkpoint of this program (format ${format ?? 'missing'}, not ${FORMAT}).`);
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

/** The newest checkpoint of a run; undefined if it has none. */
export async function latestCheckpoint(run: string): Promise<string | undefined> {
  return (await checkpointsOf(run))[0];
}

/** Paths of the checkpoints of a run, or of those that lie in a folder by themselves; the newest first. */
async function checkpointsOf(run: string): Promise<string[]> {
  for (const dir of [path.join(run, 'checkpoints'), run]) {
    const names = await checkpointsIn(dir);
    if (names.length > 0) return names.map((name) => path.join(dir, name)).reverse();
  }
  return [];
}

/** Names of a folder's checkpoints, the oldest first. */
async function checkpointsIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw toUserError(error, dir);
  });
  return entries.filter((name) => !Number.isNaN(stepOf(name))).sort((a, b) => stepOf(a) - stepOf(b));
}

/** Of a checkpoint, by its name; NaN of any other file. */
const stepOf = (name: string): number => Number(/^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? Number.NaN);

/** Loads one network's weights; `prefix` is `g.` or `d.`. */
export function loadNetwork(checkpoint: Checkpoint, prefix: 'g.' | 'd.', network: Network<Module>): void {
  const own = [...checkpoint.tensors]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(2), value] as const);
  try {
    network.load(new Map(own));
  } catch (error) {
    throw new UserError(`"${checkpoint.file}" does not fit the network that its config describes: ${describe(error)}.`);
  }
}

/**
 * Loads everything: both networks, their optimisers and loss scales. Scales that the checkpoint lacks, because it was written
 * where there was no f16, begin anew.
 */
export function loadGan(e: Engine, checkpoint: Checkpoint, gan: Gan): void {
  loadNetwork(checkpoint, 'g.', gan.g);
  loadNetwork(checkpoint, 'd.', gan.d);
  for (const [prefix, optimizer] of optimizers(gan)) {
    optimizer.setStep(checkpoint.step);
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
];

const lossScales = ({ lossScaleG, lossScaleD }: Gan): (readonly [string, LossScale])[] =>
  Object.entries({ lossScaleG, lossScaleD }).flatMap(([name, scale]) => (scale ? [[name, scale] as const] : []));

const optimizers = (gan: Gan): [string, Optimizer][] => [
  ['optimizerG.', gan.optimizerG],
  ['optimizerD.', gan.optimizerD],
];
