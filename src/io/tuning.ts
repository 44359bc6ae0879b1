/**
 * Tunings on disk: which plans `lyrebird tune` found to be the fastest, and how fast all of them were. A JSON file for each
 * adapter and driver, to be looked at, kept or sent along. What is wrong with one is said and costs time at most.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { type DeviceInfo, plainName } from '../device/adapter.js';
import { cacheFolders } from '../device/cache.js';
import type { Tuning } from '../kernel/choose.js';
import { UserError } from './errors.js';
import { readText, writeAtomically } from './files.js';

const FORMAT = 'lyrebird-tuning/1';

const workSchema = z.strictObject({
  work: z.string().min(1).describe('what is computed, with all sizes'),
  plan: z.string().min(1).describe('how: the fastest'),
  milliseconds: z.record(z.string(), z.number().positive()).describe('of every plan that was timed, medians'),
});

export type TunedWork = z.infer<typeof workSchema>;

/** Works are checked one by one: a damaged one does not spoil the others. */
const fileSchema = z.object({
  format: z.literal(FORMAT),
  adapter: z.string(),
  driver: z.string(),
  kernels: z.string(),
  works: z.array(z.unknown()),
});

/** What a tuning holds for: another driver, or other kernels, may be fast and slow elsewhere. */
export interface TunedFor {
  readonly adapter: string;
  readonly driver: string;
  /** Of the texts of all kernels. */
  readonly kernels: string;
}

export const tunedFor = ({ name, driver }: Pick<DeviceInfo, 'name' | 'driver'>): TunedFor => ({
  adapter: name,
  driver,
  kernels: kernelsHash(),
});

/** SHA-256 of every kernel's name and text, in hexadecimal. */
function kernelsHash(): string {
  // The same relative place from src/io and from dist/io.
  const folder = new URL('../../kernels/', import.meta.url);
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.wgsl'));
  for (const file of files.sort()) hash.update(`${file}\n${readFileSync(new URL(file, folder), 'utf8')}\0`);
  return hash.digest('hex');
}

/** Where an adapter's own tuning lies, unless a file is named. */
export const tuningFile = ({ name, driver }: Pick<DeviceInfo, 'name' | 'driver'>): string =>
  path.join(cacheFolders()[0], `tuned-${name}-${plainName(driver)}.json`);

/** What a file says, as far as it can be used. */
export interface TuningFile {
  readonly works: readonly TunedWork[];
  /** What cannot be used, in a sentence. */
  readonly fault?: string;
  /** It is no tuning, or that of another adapter or driver: one of this adapter in its place would be a loss. */
  readonly foreign?: true;
}

/** Reads a tuning. Throws a UserError only if the file cannot be read; of anything else that is wrong, nothing is used. */
export async function readTuning(file: string, wanted: TunedFor): Promise<TuningFile> {
  const parsed = fileSchema.safeParse(jsonOrUndefined(await readText(file)));
  const unusable = (why: string): TuningFile => ({ works: [], fault: `"${file}" ${why}` });
  if (!parsed.success) return { ...unusable('is no tuning of this program: nothing of it is used.'), foreign: true };
  const { adapter, driver, kernels, works } = parsed.data;
  if (adapter !== wanted.adapter || driver !== wanted.driver)
    return {
      ...unusable(`is a tuning for another adapter or driver (${adapter}, ${driver}): nothing of it is used.`),
      foreign: true,
    };
  if (kernels !== wanted.kernels)
    return unusable(
      "was measured with other kernels than these: nothing of it is used. 'lyrebird tune' measures anew.",
    );
  const usable = works.map((work) => workSchema.safeParse(work)).flatMap(({ data }) => data ?? []);
  const damaged = works.length - usable.length;
  return damaged === 0
    ? { works: usable }
    : { works: usable, fault: `${damaged} of ${works.length} works in "${file}" are damaged and not used.` };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes a tuning whole or not at all. */
export async function writeTuning(file: string, about: TunedFor, works: readonly TunedWork[]): Promise<void> {
  await writeAtomically(file, `${JSON.stringify({ format: FORMAT, ...about, works }, undefined, 1)}\n`);
}

/** A tuning for an engine. `note` is told once if the device lacks plans that it names. */
export function tuningOf(file: string, works: readonly TunedWork[], note: (line: string) => void): Tuning {
  const pairs = works.map(({ work, plan }) => [work, plan] as const);
  const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  let told = false;
  return {
    id: createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16),
    plans: new Map(pairs),
    unknown(work, plan) {
      if (!told)
        note(`"${file}" names plans that there are not, such as '${plan}' for '${work}': the rule chooses then.`);
      told = true;
    },
  };
}

/**
 * The tuning of `file`, or else the adapter's own; undefined if there is none to use. Throws a UserError if `file` cannot be
 * read; whatever else is wrong is noted.
 */
export async function loadTuning(
  info: Pick<DeviceInfo, 'name' | 'driver'>,
  file: string | undefined,
  note: (line: string) => void,
): Promise<Tuning | undefined> {
  const place = file ?? tuningFile(info);
  if (file === undefined && !existsSync(place)) return undefined;
  const { works, fault } = await readTuning(place, tunedFor(info)).catch((error: unknown): TuningFile => {
    if (file !== undefined || !(error instanceof UserError)) throw error;
    return { works: [], fault: error.message };
  });
  if (fault !== undefined) note(fault);
  return works.length > 0 ? tuningOf(place, works, note) : undefined;
}
