/** Generating labelled images, and sheets of them. */
import { Tape } from '../autograd/tape.js';
import type { ImageSource } from '../data/store.js';
import { UserError } from '../io/errors.js';
import { gridPng } from '../io/image.js';
import type { Engine } from '../kernel/engine.js';
import type { Generator } from '../models/generator.js';
import type { Network } from '../nn/network.js';
import { standingStatistics } from '../nn/standing.js';
import { randomNormal } from '../ops/random.js';
import { normal, uniform } from '../reference/random.js';

/** Streams of a seed from which images' noise is drawn: one an image, far from those of weights and training. */
const NOISE_STREAM = 2 ** 30;

/** Images that a class has noise of its own for: none depends on how many others are made, nor of which classes. */
export const MOST_PER_CLASS = 2 ** 20;

/** Which noise the i-th image of a class is made of. */
export const noiseIndex = (label: number, i: number): number => label * MOST_PER_CLASS + i;

/**
 * The noise of that index, of a normal distribution. With `truncation` none of its values is beyond that: those that are, are drawn
 * again (Brock et al. 2019, "the truncation trick": fewer odd images, of less variety); the others stay what they are without.
 */
export function noiseOf(seed: number, index: number, latent: number, truncation?: number): Float64Array {
  const stream = NOISE_STREAM + index;
  const z = normal(seed, stream, latent);
  if (truncation === undefined) return z;
  const isWithin = (value: number): boolean => Math.abs(value) <= truncation;
  const beyond = [...z.keys()].filter((i) => !isWithin(z[i]!));
  let further: Float64Array = new Float64Array();
  for (let count = 2 * latent; further.length < beyond.length; count *= 2) {
    further = normal(seed, stream, count).subarray(latent).filter(isWithin);
  }
  for (const [k, i] of beyond.entries()) z[i] = further[k]!;
  return z;
}

export interface GenerateOptions {
  readonly seed: number;
  /** Of each image's noise, default 0, 1, ...: an index gives the same noise, however many images are made at a time. */
  readonly indices?: readonly number[];
  /** Images at a time. */
  readonly batch: number;
  /** See noiseOf. */
  readonly truncation?: number | undefined;
}

/** Images [labels.length, channels, size, size] in (-1, 1), of the classes asked for, in evaluation mode. */
export async function generateImages(
  e: Engine,
  g: Network<Generator>,
  labels: Int32Array,
  { seed, indices, batch, truncation }: GenerateOptions,
): Promise<Float32Array> {
  const { latent } = g.module.config;
  return imagesOf(e, g, labels, batch, (i) => noiseOf(seed, indices?.[i] ?? i, latent, truncation));
}

/** Throws a UserError if there are values among a generator's that are no numbers; `file` is its checkpoint. */
export function checkNumbers(images: Float32Array, { file }: { readonly file: string }): void {
  if (images.every(Number.isFinite)) return;
  throw new UserError(
    `The generator of "${file}" makes images that are no numbers: its training broke down. Use an older checkpoint ` +
      '(--checkpoint), or train again with a lower --learning-rate.',
  );
}

/** The same of any noise: that of the i-th image. */
export async function imagesOf(
  e: Engine,
  g: Network<Generator>,
  labels: Int32Array,
  batch: number,
  noise: (i: number) => ArrayLike<number>,
): Promise<Float32Array> {
  const { latent } = g.module.config;
  const parts: Float32Array[] = [];
  g.module.eval();
  for (let start = 0; start < labels.length; start += batch) {
    const part = labels.subarray(start, start + batch);
    const z = new Float32Array(part.length * latent);
    for (let i = 0; i < part.length; i++) z.set(noise(start + i), i * latent);
    const images = e.scope(() =>
      g.module.forward(new Tape(e), e.upload(z, [part.length, latent]), e.upload(part, [part.length])),
    );
    parts.push(await e.read(images));
    e.release(images);
  }
  return concatenated(parts);
}

/** Streams of a seed for standing statistics: two a pass, above those of training and below those of images. */
const STANDING_STREAM = 2 ** 29;

/** Batches whose mean the statistics are. */
const STANDING_PASSES = 16;

/** Takes a generator's statistics anew (nn/standing.ts), from batches like those of training: always the same for its weights. */
export function refreshStatistics(e: Engine, g: Network<Generator>, options: Omit<GenerateOptions, 'indices'>): void {
  const { seed, batch } = options;
  const { classes, latent } = g.module.config;
  standingStatistics(g.module, STANDING_PASSES, (pass) => {
    const stream = STANDING_STREAM + 2 * pass;
    const labels = Int32Array.from(uniform(seed, stream + 1, batch), (u) => Math.floor(u * classes));
    e.scope(() => {
      const z = randomNormal(e, [batch, latent], { seed, stream });
      g.module.forward(new Tape(e), z, e.upload(labels, [batch]));
      return null;
    });
  });
}

/** Arrays one after another. */
export function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Levels 0 to 255 of images [count, channels, size, size] in [-1, 1]: one array [size, size, channels] an image. */
export function toLevels(images: Float32Array, size: number, channels: number): Uint8Array[] {
  const plane = size * size;
  const length = channels * plane;
  return Array.from({ length: images.length / length }, (_, n) =>
    Uint8Array.from({ length }, (_, i) => {
      const value = images[n * length + (i % channels) * plane + Math.floor(i / channels)]!;
      return Math.round(Math.min(1, Math.max(0, (value + 1) / 2)) * 255);
    }),
  );
}

/** Levels of `most` images of a class, evenly chosen; all if there are fewer. */
export async function examples(source: ImageSource, label: number, most: number): Promise<Uint8Array[]> {
  const { labels, size, channels } = source;
  const ofClass = [...labels.keys()].filter((i) => labels[i] === label);
  const count = Math.min(most, ofClass.length);
  const chosen = Array.from({ length: count }, (_, j) => ofClass[Math.floor((j * ofClass.length) / count)]!);
  const length = channels * size ** 2;
  const images = new Float32Array(count * length);
  await Promise.all(chosen.map((i, k) => source.read(i, images.subarray(k * length, (k + 1) * length))));
  return toLevels(images, size, channels);
}

/** `count` images, the missing ones black. */
export const padded = (images: readonly Uint8Array[], count: number, size: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => images[i] ?? new Uint8Array(size * size));

const SHEET_COLUMNS = 8;

/** A sheet with a row of real images for each class, laid out as a sample sheet. */
export async function realSheet(source: ImageSource, classes: readonly string[], title: string): Promise<Buffer> {
  const { size } = source;
  const rows = await Promise.all(
    classes.map(async (_, label) => padded(await examples(source, label, SHEET_COLUMNS), SHEET_COLUMNS, size)),
  );
  return gridPng(rows.flat(), { columns: SHEET_COLUMNS, size, rowLabels: classes, title });
}

/** A sheet with a row of images for each class, always of the same noise. */
export async function sampleSheet(
  e: Engine,
  g: Network<Generator>,
  classes: readonly string[],
  options: { readonly seed: number; readonly batch: number; readonly size: number; readonly title: string },
): Promise<Buffer> {
  const labels = Int32Array.from({ length: classes.length * SHEET_COLUMNS }, (_, i) => Math.floor(i / SHEET_COLUMNS));
  const images = await generateImages(e, g, labels, options);
  const { size, title } = options;
  return gridPng(toLevels(images, size, g.module.config.channels), {
    columns: SHEET_COLUMNS,
    size,
    rowLabels: classes,
    title,
  });
}
