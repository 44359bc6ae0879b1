/** A folder of generated images: what lies in it, what it takes, and what is written about it. */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { manifestFormat, manifestName, readManifest } from '../data/manifest.js';
import { safeNames } from '../data/names.js';
import { indexName } from '../data/schema.js';
import { sourceOf } from '../data/store.js';
import { UserError } from '../io/errors.js';
import { insideFolder, isOwnFolder, writeAtomically } from '../io/files.js';
import { type WritableTensor, writeSafetensors } from '../io/safetensors.js';
import { csvText } from '../io/table.js';
import { type Checkpoint, type Weights, weightsOf } from '../train/checkpoint.js';
import type { Logits } from '../train/judge.js';
import { noiseOf } from '../train/sample.js';
import type { Candidate } from '../train/selection.js';

/** Beside the manifest: the images as a table, what they were before they became pictures, and sheets of walks. */
const tableName = 'manifest.csv';
export const rawName = 'raw.safetensors';
export const walkNames = { classes: 'walk-classes.png', noise: 'walk-noise.png' } as const;

export interface Entry {
  readonly file: string;
  readonly label: string;
  /** Of the noise: seed, index and truncation give the image again. */
  readonly index: number;
  readonly score?: number | undefined;
  readonly confidence?: number | undefined;
}

/** What a folder and a manifest can hold. */
const MOST = 1_000_000;

/** What a file of tensors can hold in memory, and so the largest that is written, in bytes. */
const MOST_RAW = 2 ** 31;

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toPrecision(2)} GiB`;

/** Throws a UserError if so many images are too many for a folder, its disk or, with `raw`, for memory. */
export async function checkRoom(out: string, { config }: Checkpoint, count: number, raw: boolean): Promise<void> {
  const { size, channels, latent } = config;
  const picture = channels * size ** 2 + 300; // as much as PNG takes if it cannot compress, and its line in the manifest
  const rawBytes = raw ? 4 * count * (channels * size ** 2 + latent + 1) : 0;
  const bytes = count * picture + rawBytes;
  if (count > MOST) {
    throw new UserError(
      `${count} images are too many for one folder (about ${gibibytes(bytes)}): ask for ${MOST} at most at a time. Another ` +
        '--seed, into another --out, makes others.',
    );
  }
  if (rawBytes > MOST_RAW) {
    throw new UserError(
      `--raw would make a file of ${gibibytes(rawBytes)}, which has to fit into memory: ask for ` +
        `${Math.floor((count * MOST_RAW) / rawBytes)} images at most at a time.`,
    );
  }
  const free = await freeBytes(out);
  if (free !== undefined && bytes > free) {
    throw new UserError(
      `${count} images take about ${gibibytes(bytes)}, and the disk of "${out}" has ${gibibytes(free)} free: ask for fewer, or ` +
        'choose another --out.',
    );
  }
}

/** Of the disk on which a folder lies or will lie; undefined where the system does not say. */
async function freeBytes(out: string): Promise<number | undefined> {
  for (let at = path.resolve(out); ; at = path.dirname(at)) {
    const disk = await statfs(at).catch(() => undefined);
    if (disk) return disk.bavail * disk.bsize;
    if (at === path.dirname(at)) return undefined;
  }
}

/** The files that an earlier call left in the folder. Throws a UserError if it holds anything else. */
export async function earlierFiles(out: string): Promise<string[]> {
  if (!(await isOwnFolder(out, manifestName))) return [];
  const manifest = await readManifest(out);
  if (!manifest) {
    throw new UserError(`"${path.join(out, manifestName)}" is no manifest of generated images: choose another --out.`);
  }
  const others = [tableName, rawName, ...Object.values(walkNames)];
  return [...manifest.images.map(({ file }) => file), ...others].map((file) => insideFolder(out, file));
}

/** What the k-th image of a class is called, by the class's label. */
export function fileNames(classes: readonly string[]): (label: string, k: number) => string {
  const folders = safeNames(classes, [manifestName, tableName, rawName, indexName, ...Object.values(walkNames)]);
  return (label, k) => {
    const name = folders.get(label)!;
    return `${name}/${name}_${String(k).padStart(5, '0')}.png`;
  };
}

export interface Manifest {
  readonly checkpoint: Checkpoint;
  readonly weights?: Weights | undefined;
  readonly seed: number;
  readonly truncation?: number | undefined;
  /** Labels. */
  readonly classes: readonly string[];
  readonly images: readonly Entry[];
  readonly complete: boolean;
  /** How images were chosen, and how many were made for that. */
  readonly selection?: object | undefined;
}

/**
 * Writes manifest.json, and when all is done manifest.csv: a line for each image, with the columns of a data set's labels.csv, so
 * that it can be put below the lines of real ones. All are of the part train: none is ever tested on.
 */
export async function writeManifest(out: string, manifest: Manifest): Promise<void> {
  const { checkpoint, seed, truncation, classes, images, complete, selection } = manifest;
  const weights = weightsOf(checkpoint, manifest.weights);
  const description = {
    format: manifestFormat,
    complete,
    synthetic: 'These images were generated; they are no recordings.',
    trainedOnSynthesisedRecordings: checkpoint.synthetic,
    checkpoint: path.basename(checkpoint.file),
    step: checkpoint.step,
    weights,
    // Of what the generator was trained on: the fold that it never saw, and the images' hash.
    fold: checkpoint.config.fold,
    data: checkpoint.data,
    seed,
    ...(truncation !== undefined && { truncation }),
    ...(selection && { selection }),
    size: checkpoint.config.size,
    channels: checkpoint.config.channels,
    shown: checkpoint.shown,
    classes,
    images,
  };
  await writeAtomically(path.join(out, manifestName), `${JSON.stringify(description, null, 1)}\n`);
  if (!complete) return;
  const header = [
    'file',
    'label',
    'recording',
    'part',
    'synthetic',
    'seed',
    'index',
    'truncation',
    'score',
    'confidence',
  ];
  const rows = images.map(({ file, label, index, score, confidence }) => {
    const recording = `synthetic ${label} ${seed}-${index}`;
    const numbers = [seed, index, truncation ?? '', score ?? '', confidence ?? ''];
    return [file, label, recording, 'train', 'yes', ...numbers];
  });
  await writeAtomically(path.join(out, tableName), csvText([header, ...rows]));
}

/**
 * Room for all images as they are: noise [count, latent], labels [count] and images [count, channels, size, size]; the file also
 * has what the discriminator says of them: adversarial [count] and classes [count, width].
 */
export function rawImages({ classes, config }: Checkpoint, weights: Weights, count: number) {
  const { latent, channels, size } = config;
  const noise = new Float32Array(count * latent);
  const labels = new Int32Array(count);
  const images = new Float32Array(count * channels * size ** 2);
  let done = 0;
  return {
    source: sourceOf(images, labels, size),
    add(entries: readonly Entry[], values: Float32Array, seed: number, truncation?: number): void {
      images.set(values, done * channels * size ** 2);
      for (const { label, index } of entries) {
        labels[done] = classes.indexOf(label);
        noise.set(noiseOf(seed, index, latent, truncation), done++ * latent);
      }
    },
    file: ({ adversarial, classes: named, width }: Logits): Uint8Array =>
      writeSafetensors(
        new Map<string, WritableTensor>([
          ['noise', { dtype: 'F32', shape: [count, latent], data: noise }],
          ['labels', { dtype: 'I32', shape: [count], data: labels }],
          ['images', { dtype: 'F32', shape: [count, channels, size, size], data: images }],
          ['adversarial', { dtype: 'F32', shape: [count], data: adversarial }],
          ['classes', { dtype: 'F32', shape: [count, width], data: named }],
        ]),
        { weights },
      ),
  };
}

/** To four digits, as manifests have them. */
export const rounded = ({ score, confidence }: Candidate): Pick<Entry, 'score' | 'confidence'> => ({
  ...(score !== undefined && { score: Number(score.toPrecision(4)) }),
  ...(confidence !== undefined && { confidence: Number(confidence.toPrecision(4)) }),
});
