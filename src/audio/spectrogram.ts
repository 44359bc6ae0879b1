/** Windows as greyscale spectrograms, by any of the transforms. */
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { stftRowFrequency } from '../reference/stft.js';
import type { Annotation } from './annotations.js';
import type { Canvas } from './canvas.js';
import { scalogramEnergy } from './scalogram.js';
import { stftEnergy } from './stft.js';
import type { Spectrogrammer } from './windows.js';

/** Bytes of samples and energies between two readbacks: what waits for the GPU stays bounded. */
const BATCH_BYTES = 2 ** 26;

export type TransformName = 'morlet' | 'morse' | 'bump' | 'mel' | 'stft';

type Band = Pick<Annotation, 'low' | 'high'>;

/** A transform and the parameters of all of them; each looks at its own. */
export interface TransformOptions {
  readonly transform: TransformName;
  /** Of morlet, morse and bump: see MotherWavelet. */
  readonly w0: number;
  readonly beta: number;
  readonly gamma: number;
  readonly mu: number;
  readonly sigma: number;
  /** Of mel and stft: length of a frame, and from one to the next, seconds. */
  readonly frame: number;
  readonly frameHop: number;
}

export interface SpectrogramOptions extends TransformOptions {
  /** Rows and columns. */
  readonly size: number;
  /** Frequencies of the last and of the first row, Hz. */
  readonly fmin: number;
  readonly fmax: number;
  /** Decibels from black to white. */
  readonly rangeDb: number;
  /** White is the loudest pixel (max), of the band that is annotated if one is, or else a tone of amplitude 1. */
  readonly normalise: 'max' | 'peak' | 'rms' | 'none';
}

/**
 * Energies of windows of one length, a tensor [windows, rows, width] with row 0 at fmax, such that a tone of amplitude A has
 * A^2 on its row. Throws a `UserError` for windows that are too short, too long, or hold nothing of the band.
 */
export function spectrogramEnergy(
  e: Engine,
  windows: readonly Float32Array[],
  sampleRate: number,
  options: TransformOptions & Canvas,
): Tensor {
  const { transform } = options;
  return transform === 'mel' || transform === 'stft'
    ? stftEnergy(e, windows, sampleRate, { ...options, transform })
    : scalogramEnergy(e, windows, sampleRate, { ...options, transform });
}

/**
 * Makes greyscale spectrograms of windows, which may differ in length and sample rate: 1 + dB / rangeDb, from 0 to 1, where
 * dB is above white; silence is 0 throughout. A song whose band is known is as bright as others, whatever rumbles beside it.
 * Errors: see `spectrogramEnergy`.
 */
export function createSpectrogrammer(e: Engine, options: SpectrogramOptions): Spectrogrammer {
  const { size, fmin, fmax, rangeDb, normalise } = options;
  if (!(fmin > 0 && fmin < fmax)) {
    throw new UserError(`A spectrogram cannot reach from ${fmin} to ${fmax} Hz. Choose 0 < fmin < fmax.`);
  }
  const canvas = { ...options, rows: size, width: size };
  const pixels = size * size;
  const frequencies = Array.from({ length: size }, (_, row) => rowFrequency(row, canvas));

  return async (windows) => {
    const images: Float32Array[] = [];
    for (const indices of alike(windows)) {
      const { samples, sampleRate } = windows[indices[0]!]!;
      // A window is padded to twice its samples at most.
      const atATime = Math.max(1, Math.floor(BATCH_BYTES / (4 * (2 * samples.length + pixels))));
      for (let first = 0; first < indices.length; first += atATime) {
        const batch = indices.slice(first, first + atATime);
        const sounds = batch.map((i) => windows[i]!.samples);
        const energy = spectrogramEnergy(e, sounds, sampleRate, canvas);
        const energies = await e.read(energy).finally(() => e.release(energy));
        for (const [place, i] of batch.entries()) {
          const own = energies.subarray(place * pixels, (place + 1) * pixels);
          const white = normalise === 'max' ? loudest(own, frequencies, windows[i]!.annotation) : 1;
          images[i] = decibelImage(own, rangeDb, white);
        }
      }
    }
    return images;
  };
}

/** The indices of windows of one sample rate and length, for each of them. */
function alike(windows: Parameters<Spectrogrammer>[0]): Iterable<number[]> {
  const groups = new Map<string, number[]>();
  for (const [i, { samples, sampleRate }] of windows.entries()) {
    const key = `${sampleRate} ${samples.length}`;
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  return groups.values();
}

/** Of a row, Hz; also of what lies between two, or beyond the first and the last. */
function rowFrequency(row: number, { transform, ...canvas }: TransformOptions & Canvas): number {
  if (transform === 'mel' || transform === 'stft') return stftRowFrequency(row, { ...canvas, transform });
  return canvas.fmax * (canvas.fmin / canvas.fmax) ** (row / Math.max(1, canvas.rows - 1));
}

/**
 * The frequencies of the last and the first row of a spectrogram that was resized to `rows` of them: where their middles lie
 * in the one that it was made from.
 */
export function resizedBand(from: TransformOptions & Canvas, rows: number): Pick<Canvas, 'fmin' | 'fmax'> {
  const inset = (from.rows / rows - 1) / 2;
  return { fmin: rowFrequency(from.rows - 1 - inset, from), fmax: rowFrequency(inset, from) };
}

/** The largest energy [rows, width], of those in the band if it holds any. */
function loudest(energies: Float32Array, frequencies: readonly number[], band: Band = {}): number {
  const { low = 0, high = Number.POSITIVE_INFINITY } = band;
  const width = energies.length / frequencies.length;
  const inBand = frequencies.map((frequency, row) =>
    frequency >= low && frequency <= high ? largest(energies.subarray(row * width, (row + 1) * width)) : 0,
  );
  return Math.max(...inBand) || largest(energies);
}

const largest = (energies: Float32Array): number => energies.reduce((a, b) => Math.max(a, b), 0);

/** 1 + dB / rangeDb for each energy, from 0 to 1, with dB above white; 0 where white is 0. */
export function decibelImage(energies: Float32Array, rangeDb: number, white: number): Float32Array {
  if (white === 0) return new Float32Array(energies.length);
  return energies.map((energy) => Math.min(1, Math.max(0, 1 + (10 * Math.log10(energy / white)) / rangeDb)));
}
