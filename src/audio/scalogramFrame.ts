/**
 * Wavelet transforms that can be undone.
 *
 * Each row keeps K bins around its frequency, at least as many as the wavelet has: so a row's Fourier transform is the
 * signal's times the wavelet's, and the signal whose rows are nearest to given ones is, bin by bin,
 *
 *   X[k] = sum over rows of h_i[k] Y_i[k] / sum over rows of h_i[k]^2,  h_i[k] = 2 spectrum(k / k_i)
 *
 * with Y_i the transform of row i ("painless non-orthogonal expansions", Daubechies, Grossmann and Meyer 1986). Nearest is
 * meant in time: a value of a row that has K of the signal's M samples counts M / K times.
 */
import type { Engine } from '../kernel/engine.js';
import { fill } from '../ops/elementwise.js';
import { sharpness, waveletSpectrum } from '../reference/motherWavelet.js';
import { rowFrequencies } from '../reference/scalogram.js';
import { mirrored } from './canvas.js';
import { fft, inverseFft, inverseRealFft, rootsOfUnity } from './fft.js';
import { between, lineOf, type SpectrogramTransform, setPolar } from './frame.js';
import { integratePhases } from './phases.js';
import {
  filterRows,
  planScalogram,
  type ScalogramOptions,
  type ScalogramPlan,
  waveletKernel,
  waveletParams,
} from './scalogram.js';

/** Rows closer than this share of a wavelet's deviation in frequency add work, but hardly anything to hear. */
const CLOSEST_ROWS = 0.5;

/** Frequencies in which rows have hardly anything are not amplified beyond this share of the best covered one. */
const LEAST_COVERED = 0.02;

/** The transform of windows of `samples` samples, as far as it is needed to hear it. Errors: see `planScalogram`. */
export function createScalogramFrame(
  e: Engine,
  samples: number,
  sampleRate: number,
  options: ScalogramOptions,
): SpectrogramTransform {
  const { width } = options;
  const every = rowsApart(options);
  const rows = Math.floor((options.rows - 1) / every) + 1;
  const chosen = { ...options, rows, fmin: rowFrequencies(options)[(rows - 1) * every]! };
  const plan = planScalogram(samples, sampleRate, chosen, 0);
  const { size, groups, padding } = plan;
  const half = size / 2;
  rootsOfUnity(e, size);
  const table = e.upload(plan.rowTable, [rows, 4]);
  const weights = e.upload(coverage(plan, chosen), [half + 1]);
  return {
    signalShape: [1, half + 1, 2],
    tables: [table, weights],
    analyse: (spectrum) =>
      groups.map((group) => e.scope(() => inverseFft(e, filterRows(e, plan, group, chosen, spectrum, table)))),
    synthesise: (coefficients) =>
      e.scope(() => {
        const spectrum = e.empty([1, half + 1, 2]);
        fill(e, spectrum, 0);
        for (const [i, { first, rows: count, bins }] of groups.entries()) {
          const starts = Array.from({ length: count }, (_, row) => plan.rowTable[4 * (first + row)]!);
          const start = Math.max(1, Math.min(...starts));
          const end = Math.min(half, Math.max(...starts) + bins - 1);
          e.scope(() => {
            e.dispatch({
              ...waveletKernel('scalogram_adjoint', chosen),
              tensors: [table, fft(e, coefficients[i]!), weights, spectrum],
              params: {
                bins,
                first_row: first,
                rows: count,
                start,
                count: end - start + 1,
                gain: half / bins,
                ...waveletParams(chosen),
              },
              grid: [Math.ceil((end - start + 1) / 64)],
            });
            return undefined;
          });
        }
        return spectrum;
      }),
    async read(spectrum) {
      const signal = inverseRealFft(e, spectrum);
      return e.read(signal).finally(() => e.release(signal));
    },
    padding,
    magnitudes: (amplitudes) => {
      const lines = everyRow(amplitudes, every, width);
      return groups.map(({ first, rows: count, bins }) => {
        const values = new Float32Array(count * bins);
        for (let row = 0; row < count; row++) {
          eachPlace(bins, plan, samples, width, (j, position) => {
            values[row * bins + j] = between(lineOf(lines, first + row, width), position);
          });
        }
        return e.upload(values, [1, count, bins]);
      });
    },
    guess: (amplitudes) => {
      const lines = everyRow(amplitudes, every, width);
      const frequencies = rowFrequencies(chosen);
      const phases = integratePhases(lines, {
        width,
        step: samples / sampleRate / width,
        frequencies,
        // The wavelet fades as exp(-t^2 / (2 s^2)), with s of sharpness / 2 pi periods.
        gammas: frequencies.map((frequency) => sharpness(chosen) ** 2 / (2 * Math.PI * frequency ** 2)),
      });
      return groups.map(({ first, rows: count, bins }) => {
        const values = new Float32Array(2 * count * bins);
        for (let row = 0; row < count; row++) {
          // That its bins begin there moves a row in frequency: see scalogram_filter.
          const start = plan.rowTable[4 * (first + row)]! / bins;
          eachPlace(bins, plan, samples, width, (j, position, isReflected) => {
            const turns = (isReflected ? -1 : 1) * phases(first + row, position) - start * j;
            setPolar(values, row * bins + j, between(lineOf(lines, first + row, width), position), turns);
          });
        }
        return e.upload(values, [1, count, bins, 2]);
      });
    },
  };
}

/** Every so many of the rows of an image, [fewer rows, width]. */
function everyRow(amplitudes: Float32Array, every: number, width: number): Float32Array {
  const count = Math.ceil(amplitudes.length / width / every);
  const lines = new Float32Array(count * width);
  for (let i = 0; i < count; i++) lines.set(lineOf(amplitudes, i * every, width), i * width);
  return lines;
}

/** Of rows that are close to each other, every which one is enough. */
function rowsApart({ rows, fmin, fmax, ...wavelet }: ScalogramOptions): number {
  const apart = (Math.log(fmax / fmin) / Math.max(1, rows - 1)) * sharpness(wavelet);
  return Math.max(1, Math.floor(CLOSEST_ROWS / apart));
}

/** 1 / sum over rows of h^2 / 4, [M / 2 + 1]; see above. */
function coverage({ size, groups, rowTable }: ScalogramPlan, wavelet: ScalogramOptions): Float32Array {
  const sums = new Float64Array(size / 2 + 1);
  for (const { first, rows, bins } of groups) {
    for (let row = first; row < first + rows; row++) {
      const [start, centre] = [rowTable[4 * row]!, rowTable[4 * row]! + rowTable[4 * row + 1]!];
      for (let k = Math.max(1, start); k < Math.min(size / 2 + 1, start + bins); k++) {
        sums[k]! += waveletSpectrum(wavelet, k / centre) ** 2;
      }
    }
  }
  const least = LEAST_COVERED * sums.reduce((a, b) => Math.max(a, b), 0);
  return Float32Array.from(sums, (sum) => 1 / Math.max(sum, least));
}

/** Where a row's values lie among the middles of pixels, for those within the window or one of its reflections. */
function eachPlace(
  bins: number,
  { padding, size }: ScalogramPlan,
  samples: number,
  width: number,
  visit: (j: number, position: number, isReflected: boolean) => void,
): void {
  const last = samples - 1;
  for (let j = 0; j < bins; j++) {
    const at = Math.round((j * size) / bins) - padding;
    if (at < -padding || at > last + padding) continue;
    const place = at < 0 ? mirrored(-at, last) : last - mirrored(Math.abs(last - at), last);
    visit(j, ((place + 0.5) * width) / samples - 0.5, at < 0 || at > last);
  }
}
