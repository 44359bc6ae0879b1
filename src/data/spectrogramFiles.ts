/** Pictures of spectrograms wherever they lie, and what they show: from when to when, which frequencies, how loud. */

import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { usableLimit } from '../audio/canvas.js';
import { toUserError, UserError } from '../io/errors.js';
import { insideFolder } from '../io/files.js';
import { entriesOf } from './assemble.js';
import { manifestName, readManifest } from './manifest.js';
import { isPicture } from './pictures.js';
import { commonRate, entriesIn, readIndex } from './read.js';
import { checkParameters, defaultParameters, indexName, type Parameters, type Shown } from './schema.js';

export interface SpectrogramFile {
  file: string;
  /** Its path below the folder that was named, or its name, without its extension. */
  name: string;
}

/**
 * The pictures that are named, and those in folders: of a data set, and of generated images, those that they list; of a run
 * the synthetic ones; else all that lie below. Throws a UserError for what is not there, and for folders without any.
 */
export async function findSpectrograms(named: readonly string[]): Promise<SpectrogramFile[]> {
  const found: SpectrogramFile[] = [];
  for (const place of named) {
    const status = await stat(place).catch((error: unknown) => {
      throw toUserError(error, place);
    });
    const files = status.isDirectory() ? await filesIn(place) : [path.basename(place)];
    const folder = status.isDirectory() ? place : path.dirname(place);
    if (files.length === 0) throw new UserError(`"${place}" holds no pictures (png, jpg, webp, tif).`);
    found.push(...files.map((file) => ({ file: path.join(folder, file), name: file.replace(/\.[^./\\]+$/, '') })));
  }
  return found;
}

/** Their paths below the folder. */
async function filesIn(folder: string): Promise<string[]> {
  const listed = await listedIn(folder);
  if (listed) return listed;
  if (isRun(folder) && existsSync(path.join(folder, 'synthetic'))) return below(folder, 'synthetic');
  const files: string[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) files.push(...(await below(folder, entry.name)));
    else if (isPicture(entry.name)) files.push(entry.name);
  }
  return files;
}

const below = async (folder: string, name: string): Promise<string[]> =>
  (await filesIn(path.join(folder, name))).map((file) => path.join(name, file));

/** What a data set or a manifest lists; undefined of other folders. Throws a UserError if that leads out of the folder. */
async function listedIn(folder: string): Promise<string[] | undefined> {
  const names = await entriesIn(folder);
  const list = names.includes(indexName)
    ? await readIndex(folder)
    : names.includes(manifestName)
      ? await readManifest(folder)
      : undefined;
  for (const { file } of list?.images ?? []) insideFolder(folder, file);
  return list?.images.map(({ file }) => file);
}

/** What a folder says of the pictures in it. */
interface Source extends Shown {
  dir: string;
  /** Sample rates of the recordings of its images, by their paths in it. */
  rates: ReadonlyMap<string, number>;
}

/** Folders are read once, however many pictures ask for them; undefined where one says nothing. */
export type Sources = Map<string, Promise<Source | undefined>>;

export interface ShownOptions {
  /** A folder that says it, whatever lies beside the picture. */
  like?: string | undefined;
  /** What is known better than any folder does. */
  given?: Partial<Parameters>;
  /** The picture's rows, which it was made with if nothing but settings says what it shows. */
  rows: number;
}

/**
 * What a picture shows: by the data set or the manifest that it is part of; else by the data set of the run that it lies in;
 * else as the settings say, if they say the transform. `parameters.size` is the rows it was made with, before any resizing.
 * Throws a UserError where nothing says it.
 */
export async function shownBy(
  file: string,
  { like, given = {}, rows }: ShownOptions,
  sources: Sources = new Map(),
): Promise<Shown> {
  const source = await firstSource(
    like === undefined ? foldersAbout(file) : [like, path.join(like, 'dataset')],
    sources,
  );
  if (source) {
    const parameters = changed(source.parameters, given);
    const own = source.rates.get(path.relative(source.dir, path.resolve(file)).replaceAll('\\', '/'));
    return { parameters, sampleRate: own ?? source.sampleRate };
  }
  if (like !== undefined) {
    throw new UserError(
      `"${like}" does not say how its images were made: name a data set, a run that holds one, or generated images with ` +
        `a ${manifestName} that tells what is "shown".`,
    );
  }
  if (given.transform === undefined) {
    throw new UserError(
      `Nothing says what "${file}" shows: no ${indexName} or ${manifestName} about it is near. Name a data set made in the ` +
        'same way with --like, or give --transform, and what else is not as usual (--fmin, --fmax, --window, --range-db).',
    );
  }
  const parameters = changed({ ...defaultParameters, size: rows }, given);
  return { parameters, sampleRate: rateFor(parameters.fmax) };
}

/** Windows of another length need no other hop: where a picture was cut from does not matter here. */
function changed(parameters: Parameters, given: Partial<Parameters>): Parameters {
  const all = { ...parameters, ...given };
  return checkParameters({ ...all, hop: Math.min(all.hop, all.window) });
}

const RATES = [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192_000, 256_000, 384_000];

/** The lowest of the usual rates that holds a frequency. */
const rateFor = (frequency: number): number =>
  RATES.find((rate) => usableLimit(rate) >= frequency) ?? Math.ceil(3 * frequency);

/** Folders that may say it: the three above the picture, each with the data set in it if it is a run. */
function foldersAbout(file: string): string[] {
  const own = path.dirname(path.resolve(file));
  const folders = [own, path.dirname(own), path.dirname(path.dirname(own))];
  return folders.flatMap((folder) => (isRun(folder) ? [folder, path.join(folder, 'dataset')] : [folder]));
}

const isRun = (folder: string): boolean => existsSync(path.join(folder, 'checkpoints'));

async function firstSource(folders: readonly string[], sources: Sources): Promise<Source | undefined> {
  for (const folder of folders) {
    if (!sources.has(folder)) sources.set(folder, readSource(folder));
    const source = await sources.get(folder);
    if (source) return source;
  }
  return undefined;
}

async function readSource(folder: string): Promise<Source | undefined> {
  const dir = path.resolve(folder);
  if (existsSync(path.join(dir, indexName))) {
    const index = await readIndex(dir);
    const entries = [...entriesOf(index).values()];
    const rates = new Map(
      entries.flatMap(({ recording, images }) => images.map(({ file }) => [file, recording.sampleRate] as const)),
    );
    const { parameters } = index;
    return { dir, parameters, sampleRate: commonRate(index) ?? rateFor(parameters.fmax), rates };
  }
  const shown = existsSync(path.join(dir, manifestName)) ? (await readManifest(dir))?.shown : undefined;
  return shown ? { dir, ...shown, rates: new Map() } : undefined;
}
