/** Whether a run's folder holds a run to go on with, and whether what is asked for is that run. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, UserError } from '../io/errors.js';
import { type Checkpoint, readCheckpoint } from '../train/checkpoint.js';
import { latestCheckpoint } from '../train/checkpointFiles.js';
import { checkConfig, readConfigFile, type TrainConfig, trainConfigSchema } from '../train/config.js';

/** Fields that may differ when a run goes on; the number of steps only if no learning rate depends on it. */
const FREE = new Set([
  'ema',
  'watch',
  'precision',
  'sampleEvery',
  'checkpointEvery',
  'keepEvery',
  'checkpointActivations',
]);
const isFree = (field: string, { rateSchedule }: TrainConfig): boolean =>
  FREE.has(field) || (field === 'steps' && rateSchedule === 'constant');

/**
 * The checkpoint to go on from, if the folder has one. Throws a UserError if it is of a run with other settings, if the run's
 * config.json was changed so that it contradicts it, or if the folder's config.json is none of ours, and would be overwritten.
 */
export async function resumable(out: string, config: TrainConfig): Promise<Checkpoint | undefined> {
  if (!(await latestCheckpoint(out))) {
    await checkOwn(configFile(out));
    return undefined;
  }
  const checkpoint = await readCheckpoint(out);
  await checkEdited(out, checkpoint);
  const changed = changes(checkpoint.config, config)
    .filter(({ field }) => !isFree(field, config))
    .map(({ field, before, now }) => `${field} ${before} (asked for: ${now})`);
  if (changed.length === 0) return checkpoint;
  throw new UserError(`"${out}" holds a run with other settings: ${listed(changed)}. ${startAnew(out)}`);
}

/** What to do about a folder that holds another run; `such` is a name for a folder of its own. */
export const startAnew = (out: string, such?: string): string =>
  `Choose another --out${such === undefined ? '' : ` (such as --out ${such})`}, or move "${out}" away to start anew.`;

/** What was written into the run's config.json by hand, might be, and does not count, in sentences. */
export async function ignoredEdits(out: string, checkpoint: Checkpoint, config: TrainConfig): Promise<string[]> {
  const file = configFile(out);
  if (!existsSync(file)) return [];
  const written = checkConfig(await readConfigFile(file), `"${file}"`);
  const sinceCheckpoint = new Set(changes(checkpoint.config, written).map(({ field }) => field));
  return changes(written, config)
    .filter(({ field }) => sinceCheckpoint.has(field))
    .map(
      ({ field, before, now }) =>
        `"${file}" says ${field} ${before}, but this command ${now}, which counts: settings are given by options, or by --config.`,
    );
}

const configFile = (out: string): string => path.join(out, 'config.json');

async function checkOwn(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const value = await readConfigFile(file);
  if (trainConfigSchema.safeParse(value).success) return;
  throw new UserError(`"${file}" is not of this program, and would be overwritten: choose another --out.`);
}

/** Throws a UserError if the run's config.json cannot be that of its checkpoint. Without one, the checkpoint tells all. */
async function checkEdited(out: string, { config, file }: Checkpoint): Promise<void> {
  const edited = configFile(out);
  if (!existsSync(edited)) return;
  const advice = `Change it back, or remove "${edited}": the checkpoints hold all settings, and it is written anew.`;
  let written: TrainConfig;
  try {
    written = checkConfig(await readConfigFile(edited), `"${edited}"`);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${describe(error)} ${advice}`, { cause: error }) : error;
  }
  const wrong = changes(written, config)
    .filter(({ field }) => !isFree(field, config))
    .map(({ field, before, now }) => `${field} ${before} (not ${now})`);
  if (wrong.length === 0) return;
  throw new UserError(
    `"${edited}" contradicts the run's checkpoint "${file}": it says ${listed(wrong)}. ${advice} For a run with other ` +
      'settings, choose another --out.',
  );
}

interface Change {
  readonly field: string;
  /** As JSON. */
  readonly before: string;
  readonly now: string;
}

/** The fields in which two configs differ. */
function changes(before: TrainConfig, now: TrainConfig): Change[] {
  return (Object.keys(trainConfigSchema.shape) as (keyof TrainConfig)[])
    .map((field) => ({ field, before: JSON.stringify(before[field]), now: JSON.stringify(now[field]) }))
    .filter((change) => change.before !== change.now);
}

/** Three of them, and how many more. */
const listed = (parts: readonly string[]): string =>
  `${parts.slice(0, 3).join(', ')}${parts.length > 3 ? `, and ${parts.length - 3} more` : ''}`;
