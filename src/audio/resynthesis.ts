/**
 * Spectrograms back into sound. An image says how loud every frequency was and when, but not in which phase: phases are
 * guessed by how loudness changes (phases.ts), and improved until a signal has such a spectrogram (griffinLim.ts), in the very
 * transform that the image is of.
 *
 * Pixels are means, and the magnitudes between their middles a guess. So after some iterations the sound's own spectrogram is
 * looked at, the magnitudes are corrected by what it lacks, a' = a image / found, and so on. What pixels do not resolve
 * cannot come back, and everything that is black stays silent.
 */
import type { Engine } from '../kernel/engine.js';
import type { Canvas } from './canvas.js';
import type { SpectrogramTransform } from './frame.js';
import { retrieveSignal } from './griffinLim.js';
import { createScalogramFrame } from './scalogramFrame.js';
import { decibelImage, spectrogramEnergy, type TransformOptions } from './spectrogram.js';
import { createStftFrame } from './stftFrame.js';

export interface ResynthesisOptions extends TransformOptions, Canvas {
  /** Decibels from black to white. */
  readonly rangeDb: number;
  /** Hz */
  readonly sampleRate: number;
  /** Length of the window, seconds. */
  readonly seconds: number;
  readonly iterations: number;
}

export interface Resynthesised {
  /** Of the window. */
  samples: Float32Array;
  /** The spectrogram of the sound, as the image of it: [rows, width] in 0 to 1. */
  image: Float32Array;
  agreement: Agreement;
}

/** How the spectrogram of a sound agrees with an image. */
export interface Agreement {
  /** Spectral convergence: || a' - a || / || a || of the pixels' amplitudes, a' those of the sound. */
  convergence: number;
  /** The share of columns, of those within 20 dB of the loudest, whose loudest rows are the same or neighbours. */
  track: number;
}

/** Iterations from one correction to the next. */
const ROUND = 15;
/** The most that a correction changes, as a factor. */
const MOST_CORRECTION = 2;

/** Sound for an image, [rows, width] in 0 to 1, in which white is a tone of amplitude 1. Errors: as for spectrograms. */
export async function resynthesise(
  e: Engine,
  image: Float32Array,
  options: ResynthesisOptions,
): Promise<Resynthesised> {
  const { sampleRate, rangeDb, iterations } = options;
  const length = Math.round(options.seconds * sampleRate);
  const amplitudes = image.map((value) => (value > 0 ? 10 ** (((value - 1) * rangeDb) / 20) : 0));
  const frame = createFrame(e, length, options);
  let signal = e.scope(() => frame.synthesise(frame.guess(amplitudes)));
  let wanted = amplitudes;
  try {
    for (let done = 0; ; done += ROUND) {
      const count = Math.min(ROUND, iterations - done);
      const better = e.scope(() => retrieveSignal(e, frame, frame.magnitudes(wanted), signal, count));
      e.release(signal);
      signal = better;
      const waveform = await frame.read(signal);
      const samples = waveform.slice(frame.padding, frame.padding + length);
      const energy = spectrogramEnergy(e, [samples], sampleRate, options);
      const energies = await e.read(energy).finally(() => e.release(energy));
      const found = energies.map(Math.sqrt);
      if (done + ROUND >= iterations) {
        return {
          samples,
          image: decibelImage(energies, rangeDb, 1),
          agreement: agreementOf(found, amplitudes, options),
        };
      }
      wanted = wanted.map((amplitude, i) => {
        const lacking = amplitudes[i]! / found[i]!;
        return amplitude && amplitude * Math.min(MOST_CORRECTION, Math.max(1 / MOST_CORRECTION, lacking));
      });
    }
  } finally {
    for (const tensor of [signal, ...frame.tables]) e.release(tensor);
  }
}

function createFrame(e: Engine, length: number, options: ResynthesisOptions): SpectrogramTransform {
  const { transform, sampleRate } = options;
  return transform === 'mel' || transform === 'stft'
    ? createStftFrame(e, length, sampleRate, { ...options, transform })
    : createScalogramFrame(e, length, sampleRate, { ...options, transform });
}

const TRACKED_DB = 20;

/** How amplitudes that were found, [rows, width], agree with those that were asked for. Of silence, they do. */
export function agreementOf(
  found: Float32Array,
  wanted: Float32Array,
  { rows, width }: Pick<Canvas, 'rows' | 'width'>,
): Agreement {
  let [error, whole] = [0, 0];
  for (const [i, amplitude] of wanted.entries()) {
    error += (found[i]! - amplitude) ** 2;
    whole += amplitude ** 2;
  }
  const least = 10 ** (-TRACKED_DB / 20) * wanted.reduce((a, b) => Math.max(a, b), 0);
  let [tracked, followed] = [0, 0];
  for (let q = 0; q < width; q++) {
    const row = loudestRow(wanted, q, rows, width);
    if (whole === 0 || wanted[row * width + q]! < least) continue;
    tracked++;
    if (Math.abs(row - loudestRow(found, q, rows, width)) <= 1) followed++;
  }
  return { convergence: whole > 0 ? Math.sqrt(error / whole) : 0, track: tracked > 0 ? followed / tracked : 1 };
}

function loudestRow(amplitudes: Float32Array, column: number, rows: number, width: number): number {
  let loudest = 0;
  for (let row = 1; row < rows; row++) {
    if (amplitudes[row * width + column]! > amplitudes[loudest * width + column]!) loudest = row;
  }
  return loudest;
}
