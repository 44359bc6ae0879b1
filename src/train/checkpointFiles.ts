/**
 * The checkpoints in a run's folder: which there are, which is meant, which may go.
 *
 *   checkpoints/step-000100.safetensors   as of that step: the newest three, and every so many that stay
 *   checkpoints/best.safetensors          the best by the distance (distance.ts) of all steps at which it was measured
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemCode, toUserError, UserError } from '../io/errors.js';

/** The newest checkpoints of a run, which are kept. */
const KEPT = 3;

/** Its name is not that of a step, so it is never among those that go. */
export const BEST = 'best.safetensors';

/** One of a run's checkpoints: the newest, the best, or that of a step. */
export type Which = 'last' | 'best' | number;

export const stepName = (step: number): string => `step-${String(step).padStart(6, '0')}.safetensors`;

/** Of a checkpoint, by its name; NaN of any other file. */
const stepOf = (name: string): number => Number(/^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? Number.NaN);

/** Where checkpoints lie: in the folder `checkpoints` of a run, or in a folder by themselves. */
interface Found {
  readonly dir: string;
  /** Those of steps, the oldest first. */
  readonly steps: readonly string[];
  readonly hasBest: boolean;
}

/** Undefined if there are none. */
async function find(run: string): Promise<Found | undefined> {
  for (const dir of [path.join(run, 'checkpoints'), run]) {
    const names = await namesIn(dir);
    const steps = stepsAmong(names);
    const hasBest = names.includes(BEST);
    if (steps.length > 0 || hasBest) return { dir, steps, hasBest };
  }
  return undefined;
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw toUserError(error, dir);
  });
}

const stepsAmong = (names: readonly string[]): string[] =>
  names.filter((name) => !Number.isNaN(stepOf(name))).sort((a, b) => stepOf(a) - stepOf(b));

/** The newest checkpoint of a run, or of a folder of checkpoints; its best if that is all there is; undefined if it has none. */
export async function latestCheckpoint(run: string): Promise<string | undefined> {
  return (await newestCheckpoints(run))[0];
}

/** All of a run's, the newest first; the best comes last. */
export async function newestCheckpoints(run: string): Promise<string[]> {
  const found = await find(run);
  if (!found) return [];
  const names = [...found.steps.toReversed(), ...(found.hasBest ? [BEST] : [])];
  return names.map((name) => path.join(found.dir, name));
}

/** The file of a run's best checkpoint or of that of a step. Throws a UserError that says which there are, if not that one. */
export async function checkpointFile(run: string, which: 'best' | number): Promise<string> {
  const found = await find(run);
  if (!found) throw noCheckpoints(run);
  const { dir, steps, hasBest } = found;
  const name = which === 'best' ? BEST : steps.find((each) => stepOf(each) === which);
  if (name !== undefined && (which !== 'best' || hasBest)) return path.join(dir, name);
  const wanted = which === 'best' ? 'no best checkpoint' : `no checkpoint of step ${which}`;
  const there = [...(hasBest ? ['best'] : []), ...steps.map(stepOf)].join(', ');
  throw new UserError(`"${run}" holds ${wanted}: there are ${there}.`);
}

export const noCheckpoints = (run: string): UserError =>
  new UserError(`"${run}" holds no checkpoints: name a run's folder, or a file checkpoints/step-....safetensors.`);

/** Removes the oldest checkpoints of a folder: all but the newest `kept`, those of every `keepEvery` steps, and the best. */
export async function prune(dir: string, keepEvery: number | null, kept = KEPT): Promise<void> {
  const stays = (name: string): boolean => keepEvery !== null && stepOf(name) % keepEvery === 0;
  const old = stepsAmong(await namesIn(dir)).slice(0, -kept);
  for (const name of old.filter((each) => !stays(each))) await rm(path.join(dir, name), { force: true });
}
