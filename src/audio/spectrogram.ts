/** Windows as greyscale spectrograms, by any of the transforms. */
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import type { Canvas } from './canvas.js';
import { scalogramEnergy } from './scalogram.js';
import { stftEnergy } from './stft.js';
import type { Spectrogrammer } from './windows.js';

/** Bytes of samples and energies between two readbacks: what waits for the GPU stays bounded. */
const BATCH_BYTES = 2 ** 26;

export type TransformName = 'morlet' | 'morse' | 'bump' | 'mel' | 'stft';

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
  /** White is the loudest pixel (max), or else a tone of amplitude 1. */
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
 * dB is above white; silence is 0 throughout. Errors: see `spectrogramEnergy`.
 */
export function createSpectrogrammer(e: Engine, options: SpectrogramOptions): Spectrogrammer {
  const { size, fmin, fmax, rangeDb, normalise } = options;
  if (!(fmin > 0 && fmin < fmax)) {
    throw new UserError(`A spectrogram cannot reach from ${fmin} to ${fmax} Hz. Choose 0 < fmin < fmax.`);
  }
  const canvas = { ...options, rows: size, width: size };
  const pixels = size * size;
  const white = normalise === 'max' ? undefined : 1;

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
          images[i] = decibelImage(energies.subarray(place * pixels, (place + 1) * pixels), rangeDb, white);
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

/** 1 + dB / rangeDb for each energy, from 0 to 1, with dB above white, by default the largest; 0 where all are 0. */
function decibelImage(energies: Float32Array, rangeDb: number, white?: number): Float32Array {
  const most = white ?? energies.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0) return new Float32Array(energies.length);
  return energies.map((energy) => Math.min(1, Math.max(0, 1 + (10 * Math.log10(energy / most)) / rangeDb)));
}
