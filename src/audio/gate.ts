/**
 * Spectral gating: what is not louder than the steady noise at its frequency is turned down.
 *
 *   L[t, k]  level of frame t at frequency k, 10 log10 of |X|^2 averaged over 3 frames and 3 frequencies
 *   n[k]     noise profile: the level below which a fifth of the frames lie
 *   m[t, k]  1 where L[t, k] > n[k] + gateDb, else 0; then averaged over 5 frames and 5 frequencies, so that neither
 *            musical noise nor hard edges are left
 *   gain     g = f + (1 - f) m, with f = -30 dB: noise that is gone altogether would be a mark of its own
 *
 * X are spectra of frames of about 23 ms under Hann's window, a quarter of that apart; what is added up again under the
 * same window is the samples themselves where the gain is 1 (Allen and Rabiner 1977). As in Sainburg's noisereduce, the
 * profile is one for a whole stretch of a recording.
 */
import { inverseFft } from '../reference/fft.js';
import { frameLength, framePairs, hann, pairPower } from './shortTime.js';

const PROFILE_SHARE = 0.2;
const FLOOR = 10 ** (-30 / 20);
/** Sum of squares of Hann windows a quarter of their length apart. */
const WINDOW_SUM = 1.5;

/** Samples of a stretch of one recording with its noise turned down: a new array. */
export function gateNoise(samples: Float32Array, sampleRate: number, gateDb: number): Float32Array {
  const window = hann(frameLength(sampleRate));
  const { length } = window;
  const hop = length / 4;
  // Each sample lies in four frames.
  const frames = { start: hop - length, hop, count: Math.ceil((samples.length + length - hop) / hop) };
  const gains = gateGains(samples, window, frames, gateDb);
  const sum = new Float32Array(samples.length);
  const bins = length / 2 + 1;
  framePairs(samples, window, frames, (re, im, frame) => {
    for (let k = 0; k < bins; k++) {
      const a = gains[frame * bins + k]!;
      applyGains(re, im, k, a, gains[(frame + 1) * bins + k] ?? a);
    }
    inverseFft(re, im);
    addFrame(sum, re, window, frames.start + frame * hop);
    addFrame(sum, im, window, frames.start + (frame + 1) * hop);
  });
  return sum;
}

/** In a pair's transform (see framePairs), the gains a and b of its frames at the frequencies k and -k. */
function applyGains(re: Float64Array, im: Float64Array, k: number, a: number, b: number): void {
  const mirror = (re.length - k) % re.length;
  const [p, q, r, s] = [re[k]!, im[k]!, re[mirror]!, im[mirror]!];
  const [half, cross] = [(a + b) / 2, (a - b) / 2];
  re[k] = half * p + cross * r;
  im[k] = half * q - cross * s;
  re[mirror] = half * r + cross * p;
  im[mirror] = half * s - cross * q;
}

function addFrame(sum: Float32Array, frame: Float64Array, window: Float64Array, first: number): void {
  const until = Math.min(window.length, sum.length - first);
  for (let m = Math.max(0, -first); m < until; m++) sum[first + m]! += (window[m]! * frame[m]!) / WINDOW_SUM;
}

/** Gains [frames, bins]. */
function gateGains(
  samples: Float32Array,
  window: Float64Array,
  frames: { start: number; hop: number; count: number },
  gateDb: number,
): Float32Array {
  const bins = window.length / 2 + 1;
  const { count } = frames;
  let values: Float32Array = new Float32Array(count * bins);
  framePairs(samples, window, frames, (re, im, frame) => {
    for (let k = 0; k < bins; k++) {
      const [a, b] = pairPower(re, im, k);
      values[frame * bins + k] = a;
      if (frame + 1 < count) values[(frame + 1) * bins + k] = b;
    }
  });
  values = averaged(averaged(values, count, bins, 1), bins, count, 1);
  const column = new Float32Array(count);
  const factor = 10 ** (gateDb / 10);
  for (let k = 0; k < bins; k++) {
    for (let t = 0; t < count; t++) column[t] = values[t * bins + k]!;
    const threshold = factor * column.sort()[Math.floor(PROFILE_SHARE * (count - 1))]!;
    for (let t = 0; t < count; t++) values[t * bins + k] = values[t * bins + k]! > threshold ? 1 : 0;
  }
  values = averaged(averaged(values, count, bins, 2), bins, count, 2);
  for (let i = 0; i < values.length; i++) values[i] = FLOOR + (1 - FLOOR) * values[i]!;
  return values;
}

/** The mean of up to 2 reach + 1 neighbours in each row of [rows, columns], as [columns, rows]: twice is both ways, and back. */
function averaged(values: Float32Array, rows: number, columns: number, reach: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const first = Math.max(0, column - reach);
      const last = Math.min(columns - 1, column + reach);
      let sum = 0;
      for (let c = first; c <= last; c++) sum += values[row * columns + c]!;
      result[column * rows + row] = sum / (last - first + 1);
    }
  }
  return result;
}
