/** What all spectrograms have in common: a window has to fill them, its ends are reflected, and pixels share its samples. */
import { UserError } from '../io/errors.js';

/** What a spectrogram shows, in how many pixels. */
export interface Canvas {
  readonly rows: number;
  /** Pixels in time. */
  readonly width: number;
  /** Frequency of the last row, Hz. */
  readonly fmin: number;
  /** Frequency of the first row, Hz. */
  readonly fmax: number;
}

/** The part of the frequencies below half the sample rate that rows show: recordings hold nothing of use beyond. */
const USABLE_BAND = 0.95;

/** The highest frequency that a recording of this rate shows, Hz. */
export const usableLimit = (sampleRate: number): number => (USABLE_BAND * sampleRate) / 2;

/** Throws a `UserError` for windows that are too short for the canvas, or hold nothing of its band. */
export function checkWindow(samples: number, sampleRate: number, { width, fmin }: Canvas): void {
  if (samples < width) {
    throw new UserError(
      `A window of ${samples} samples cannot fill a spectrogram ${width} pixels wide. ` +
        'Use longer windows, or smaller images.',
    );
  }
  const limit = usableLimit(sampleRate);
  if (fmin > limit) {
    throw new UserError(
      `A recording of ${sampleRate} Hz holds frequencies up to ${limit} Hz, the spectrogram begins at ${fmin} Hz. ` +
        'Choose a lower fmin, or leave the recording out.',
    );
  }
}

/**
 * Where the pixels of a row begin and end, [width + 1], in samples: half-way between two. Sample m belongs to pixel
 * floor(m width / samples); the window begins at `offset`.
 */
export function pixelEdges(samples: number, width: number, offset = 0): Float32Array {
  return Float32Array.from({ length: width + 1 }, (_, q) => offset + Math.ceil((q * samples) / width) - 0.5);
}

/** Windows of one length one after the other, each `size` samples long: reflected at both ends, then zeros. */
export function reflected(windows: readonly Float32Array[], padding: number, size: number): Float32Array {
  const all = new Float32Array(windows.length * size);
  for (const [i, samples] of windows.entries()) {
    const start = i * size + padding;
    const last = samples.length - 1;
    all.set(samples, start);
    for (let m = 1; m <= padding; m++) {
      all[start - m] = samples[mirrored(m, last)]!;
      all[start + last + m] = samples[last - mirrored(m, last)]!;
    }
  }
  return all;
}

/** Where the walk from 0 to `last`, back to 0, and so on is after `steps` steps. */
export function mirrored(steps: number, last: number): number {
  if (last === 0) return 0;
  const step = steps % (2 * last);
  return step <= last ? step : 2 * last - step;
}
