/**
 * Short-time Fourier transforms that can be undone: the signal whose frames are nearest to given ones is their sum, each
 * under the window again, over the sum of the windows' squares (Griffin and Lim 1984).
 */
import { UserError } from '../io/errors.js';
import { type Engine, gridFor } from '../kernel/engine.js';
import { reshaped } from '../memory/tensor.js';
import { inverseRealFft, realFft, rootsOfUnity } from './fft.js';
import type { Filterbank } from './filterbank.js';
import { between, lineOf, type SpectrogramTransform, setPolar } from './frame.js';
import { integratePhases } from './phases.js';
import { hann } from './shortTime.js';
import { planStft, type StftOptions, type StftPlan, takeFrames } from './stft.js';

/** Samples that hardly any window covers, at the ends of what is reflected, are not amplified beyond this share of the others. */
const LEAST_COVERED = 0.02;

/** Of all frames together: their spectra take 128 MiB then. And frames that one dispatch takes. */
const MOST_POINTS = 2 ** 25;
const MOST_FRAMES = 2 ** 16 - 1;

/** The transform of windows of `samples` samples. Errors: see `planStft`; also for windows of minutes. */
export function createStftFrame(
  e: Engine,
  samples: number,
  sampleRate: number,
  options: StftOptions,
): SpectrogramTransform {
  const plan = planStft(samples, sampleRate, options);
  const { length, size, hop, frames, padding } = plan;
  if (frames * size > MOST_POINTS || frames > MOST_FRAMES) {
    throw new UserError(
      `A window of ${(samples / sampleRate).toFixed(1)} s has ${frames} frames of ${size} points, which are too many to be ` +
        'heard at once. Use shorter windows, or a larger --frame-hop.',
    );
  }
  rootsOfUnity(e, size);
  const { width } = options;
  const bins = size / 2 + 1;
  const whole = samples + 2 * padding;
  const window = hann(length);
  const table = e.upload(Float32Array.from(window), [length]);
  const weights = e.upload(coverage(plan, window, whole), [whole]);
  return {
    signalShape: [1, whole],
    tables: [table, weights],
    analyse: (signal) => [
      e.scope(() => realFft(e, reshaped(takeFrames(e, plan, signal, table, 0, frames), [frames, size]))),
    ],
    synthesise: ([spectra]) =>
      e.scope(() => {
        const signal = e.empty([1, whole]);
        e.dispatch({
          file: 'stft_overlap_add',
          tensors: [inverseRealFft(e, spectra!), table, weights, signal],
          params: { samples: whole, length, n: size, hop, start: padding - length / 2, frames },
          grid: gridFor(whole, 64),
        });
        return signal;
      }),
    read: (signal) => e.read(signal),
    padding,
    magnitudes: (amplitudes) => {
      const lines = spreadImage(amplitudes, options, plan);
      const values = new Float32Array(frames * bins);
      eachPlace((i, k, position) => {
        values[i] = between(lineOf(lines, k, width), position);
      });
      return [e.upload(values, [frames, bins])];
    },
    guess: (amplitudes) => {
      const lines = spreadImage(amplitudes, options, plan);
      const phases = integratePhases(lines, {
        width,
        step: samples / sampleRate / width,
        frequencies: Array.from({ length: bins }, (_, k) => (k * sampleRate) / size),
        gammas: Array<number>(bins).fill(HANN_GAMMA * (length / sampleRate) ** 2),
      });
      const values = new Float32Array(2 * frames * bins);
      eachPlace((i, k, position) => {
        // A frame's phases are those at its first sample, the image's are those at its middle.
        setPolar(values, i, between(lineOf(lines, k, width), position), phases(k, position) - (k * length) / 2 / size);
      });
      return [e.upload(values, [frames, bins, 2])];
    },
  };

  /** Visits coefficient i, of frame t and bin k, with its position among the middles of pixels. */
  function eachPlace(visit: (i: number, k: number, position: number) => void): void {
    for (let t = 0; t < frames; t++) {
      const position = ((t * hop + 0.5) * width) / samples - 0.5;
      for (let k = 0; k < bins; k++) visit(t * bins + k, k, position);
    }
  }
}

/** Of the Gaussian exp(-pi t^2 / gamma) that is nearest to Hann's window, in squares of its length (Prusa et al. 2017). */
const HANN_GAMMA = 0.25645;

/** Amplitudes [rows, width] as those of the bins, [bins, width]. */
function spreadImage(amplitudes: Float32Array, { rows, width }: StftOptions, { size, filterbank }: StftPlan) {
  const bins = size / 2 + 1;
  const spreadOut = new Float32Array(bins * width);
  for (let q = 0; q < width; q++) {
    const energies = Float64Array.from({ length: rows }, (_, row) => amplitudes[row * width + q]! ** 2);
    spread(energies, filterbank, bins).forEach((power, k) => {
      spreadOut[k * width + q] = Math.sqrt(power);
    });
  }
  return spreadOut;
}

/** 1 / sum over frames of window^2, [samples]; see above. */
function coverage({ length, hop, frames, padding }: StftPlan, window: Float64Array, samples: number): Float32Array {
  const sums = new Float64Array(samples);
  for (let t = 0; t < frames; t++) {
    const start = padding - length / 2 + t * hop;
    for (let m = 0; m < length; m++) sums[start + m]! += window[m]! ** 2;
  }
  const least = LEAST_COVERED * sums.reduce((a, b) => Math.max(a, b), 0);
  return Float32Array.from(sums, (sum) => 1 / Math.max(sum, least));
}

const SPREADING_STEPS = 30;

/**
 * Powers of the bins of which rows could be the weighted sums: those that Richardson's and Lucy's steps find from powers that
 * are equal within a row. They stay positive; bins that no row counts have none.
 */
function spread(energies: Float64Array, { bands, weights }: Filterbank, bins: number): Float64Array {
  const each = (visit: (row: number, k: number, weight: number) => void): void => {
    for (let row = 0; row < energies.length; row++) {
      const [first, count, start] = [bands[4 * row]!, bands[4 * row + 1]!, bands[4 * row + 2]!];
      for (let j = 0; j < count; j++) visit(row, first + j, weights[start + j]!);
    }
  };
  const rowSums = new Float64Array(energies.length);
  const binSums = new Float64Array(bins);
  each((row, k, weight) => {
    rowSums[row]! += weight;
    binSums[k]! += weight;
  });
  const powers = new Float64Array(bins);
  each((row, k, weight) => {
    if (weight > 0) powers[k]! += (weight * energies[row]!) / rowSums[row]! / binSums[k]!;
  });
  const [seen, ratios] = [new Float64Array(energies.length), new Float64Array(bins)];
  for (let step = 0; step < SPREADING_STEPS; step++) {
    seen.fill(0);
    ratios.fill(0);
    each((row, k, weight) => {
      seen[row]! += weight * powers[k]!;
    });
    each((row, k, weight) => {
      if (seen[row]! > 0) ratios[k]! += (weight * energies[row]!) / seen[row]!;
    });
    for (let k = 0; k < bins; k++) if (binSums[k]! > 0) powers[k]! *= ratios[k]! / binSums[k]!;
  }
  return powers;
}
