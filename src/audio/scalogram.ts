/**
 * The wavelet spectrogram on the GPU: the analytic Morlet transform by FFT, at the recording's own sample rate.
 *
 * A window is reflected at both ends and padded with zeros to M samples. With X its spectrum, row i is
 *
 *   W = IFFT(X H),  H[k] = 2 exp(-((k - k_c) / s_k)^2 / 2) for 1 <= k <= M / 2, else 0
 *   k_c = f_i M / sampleRate,  s_k = k_c / w0,  f_i = fmax (fmin / fmax)^(i / (rows - 1))
 *
 * so that a tone of amplitude A gives |W| = A on its row. H is negligible outside of some bins around k_c: only K of them
 * are transformed back, which gives W at every (M / K)-th sample, enough to average |W|^2 over pixels.
 */
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { fill } from '../ops/elementwise.js';
import { reflectPadding, rowFrequencies } from '../reference/wavelet.js';
import { inverseFft, LONGEST_TRANSFORM, realFft, rootsOfUnity } from './fft.js';
import type { Spectrogrammer } from './windows.js';

/** The part of the frequencies below half the sample rate that rows show: recordings hold nothing of use beyond. */
const USABLE_BAND = 0.95;

/** Bytes of the largest tensor between the steps: windows are transformed so many at a time. */
const WORKING_BYTES = 2 ** 22;

/** Bytes of samples and energies between two readbacks: what waits for the GPU stays bounded. */
const BATCH_BYTES = 2 ** 26;

export interface ScalogramOptions {
  readonly rows: number;
  /** Pixels in time. */
  readonly width: number;
  /** Frequency of the last row, Hz. */
  readonly fmin: number;
  /** Frequency of the first row, Hz. */
  readonly fmax: number;
  /** Ratio of a row's frequency to its standard deviation in frequency: larger is finer in pitch, coarser in time. */
  readonly w0: number;
}

export interface SpectrogramOptions extends Omit<ScalogramOptions, 'rows' | 'width'> {
  /** Rows and columns. */
  readonly size: number;
  /** Decibels from black to white, the window's maximum. */
  readonly rangeDb: number;
}

/** Neighbouring rows that are transformed back from equally many bins. */
interface RowGroup {
  readonly first: number;
  readonly rows: number;
  /** K */
  readonly bins: number;
}

/** What windows of one length and sample rate have in common. */
export interface ScalogramPlan {
  /** Samples reflected at each end. */
  readonly padding: number;
  /** M */
  readonly size: number;
  /** Rows at the top that are beyond what the sample rate can hold. */
  readonly silentRows: number;
  readonly groups: readonly RowGroup[];
  /** [rows, 4]: first bin, k_c - first bin, 1 / s_k, 0. */
  readonly rowTable: Float32Array;
  /** Where pixels begin and end, [width + 1], in samples of the padded signal: half-way between two. */
  readonly edges: Float32Array;
}

/**
 * Plans windows of `samples` samples. Rows above 0.95 of half the sample rate are silent, so that recordings of all rates
 * share one frequency axis. Throws a `UserError` for windows that are too short, too long, or without any row.
 */
export function planScalogram(samples: number, sampleRate: number, options: ScalogramOptions): ScalogramPlan {
  const { rows, width, fmin, w0 } = options;
  if (samples < width) {
    throw new UserError(
      `A window of ${samples} samples cannot fill a spectrogram ${width} pixels wide. ` +
        'Use longer windows, or smaller images.',
    );
  }
  const limit = (USABLE_BAND * sampleRate) / 2;
  if (fmin > limit) {
    throw new UserError(
      `A recording of ${sampleRate} Hz holds frequencies up to ${limit} Hz, the spectrogram begins at ${fmin} Hz. ` +
        'Choose a lower fmin, or leave the recording out.',
    );
  }
  const padding = reflectPadding({ sampleRate, fmin, w0 });
  const size = 2 ** Math.max(2, Math.ceil(Math.log2(samples + 2 * padding)));
  if (size > LONGEST_TRANSFORM) {
    throw new UserError(
      `A window of ${samples} samples, with ${padding} reflected at each end, takes a transform of ${size} points; ` +
        `at most ${LONGEST_TRANSFORM} are possible. Use shorter windows, or a higher fmin.`,
    );
  }

  const frequencies = rowFrequencies(options);
  const silentRows = frequencies.filter((frequency) => frequency > limit).length;
  const rowTable = new Float32Array(4 * rows);
  const groups: RowGroup[] = [];
  for (let row = silentRows; row < rows; row++) {
    const centre = (frequencies[row]! * size) / sampleRate;
    // 4.5 deviations to either side, where H is 4e-5 of its peak, and at least 8 places in each pixel.
    const wanted = Math.max((9 * centre) / w0, (8 * width * size) / samples);
    const bins = Math.min(size, 2 ** Math.ceil(Math.log2(wanted)));
    const first = Math.round(centre) - bins / 2;
    rowTable.set([first, centre - first, w0 / centre], 4 * row);
    const group = groups.at(-1);
    if (group?.bins === bins && 8 * bins * (group.rows + 1) <= WORKING_BYTES) {
      groups[groups.length - 1] = { ...group, rows: group.rows + 1 };
    } else groups.push({ first: row, rows: 1, bins });
  }
  // Sample m belongs to pixel floor(m width / samples).
  const edges = Float32Array.from({ length: width + 1 }, (_, q) => padding + Math.ceil((q * samples) / width) - 0.5);
  return { padding, size, silentRows, groups, rowTable, edges };
}

/**
 * |W|^2 averaged over the samples of each pixel, a tensor [windows, rows, width], row 0 at fmax. All windows have the
 * same length. Errors: see `planScalogram`.
 */
export function scalogramEnergy(
  e: Engine,
  windows: readonly Float32Array[],
  sampleRate: number,
  options: ScalogramOptions,
): Tensor {
  const { rows, width } = options;
  const samples = windows[0]!.length;
  if (windows.some((window) => window.length !== samples)) throw new Error('windows of one batch differ in length');
  const plan = planScalogram(samples, sampleRate, options);
  const { size, groups } = plan;
  const perWindow = Math.max(4 * size, ...groups.map((group) => 8 * group.bins * group.rows));
  const atATime = Math.max(1, Math.floor(WORKING_BYTES / perWindow));
  rootsOfUnity(e, size);
  return e.scope(() => {
    const energy = e.empty([windows.length, rows, width]);
    if (plan.silentRows > 0) fill(e, energy, 0);
    const tables = { rows: e.upload(plan.rowTable, [rows, 4]), edges: e.upload(plan.edges, [width + 1]) };
    for (let first = 0; first < windows.length; first += atATime) {
      const part = windows.slice(first, first + atATime);
      e.scope(() => {
        const spectrum = realFft(e, e.upload(padded(part, plan), [part.length, size]));
        for (const group of groups) e.scope(() => groupEnergy(e, plan, group, spectrum, tables, energy, first));
        return undefined;
      });
    }
    return energy;
  });
}

/** The energies of a group's rows, of the windows from `firstWindow` whose spectra are given, into their place. */
function groupEnergy(
  e: Engine,
  { size }: ScalogramPlan,
  { first, rows, bins }: RowGroup,
  spectrum: Tensor,
  tables: { readonly rows: Tensor; readonly edges: Tensor },
  energy: Tensor,
  firstWindow: number,
): undefined {
  const windows = spectrum.shape[0]!;
  const [, allRows, width] = energy.shape;
  const filtered = e.empty([windows, rows, bins, 2]);
  e.dispatch({
    file: 'scalogram_filter',
    tensors: [spectrum, tables.rows, filtered],
    params: { bins, half: size / 2, first_row: first, rows, gain: (2 * bins) / size },
    grid: [Math.ceil(bins / 64), rows, windows],
  });
  e.dispatch({
    file: 'scalogram_energy',
    tensors: [inverseFft(e, filtered), tables.edges, energy],
    params: {
      bins,
      rows,
      width: width!,
      first_row: first,
      all_rows: allRows!,
      first_window: firstWindow,
      step: size / bins,
    },
    grid: [Math.ceil(width! / 32), rows, windows],
  });
}

/** The windows one after the other, each `size` samples long: reflected at both ends, then zeros. */
function padded(windows: readonly Float32Array[], { padding, size }: ScalogramPlan): Float32Array {
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
function mirrored(steps: number, last: number): number {
  if (last === 0) return 0;
  const step = steps % (2 * last);
  return step <= last ? step : 2 * last - step;
}

/**
 * Makes greyscale spectrograms of windows, which may differ in length and sample rate: 1 + dB / rangeDb, at least 0, where
 * dB is below the window's own maximum; silence is 0 throughout. Errors: see `planScalogram`.
 */
export function createSpectrogrammer(e: Engine, options: SpectrogramOptions): Spectrogrammer {
  const { size, fmin, fmax, w0, rangeDb } = options;
  if (!(fmin > 0 && fmin < fmax)) {
    throw new UserError(`A spectrogram cannot reach from ${fmin} to ${fmax} Hz. Choose 0 < fmin < fmax.`);
  }
  const scalogram = { rows: size, width: size, fmin, fmax, w0 };
  const pixels = size * size;

  return async (windows) => {
    const images: Float32Array[] = [];
    for (const indices of alike(windows)) {
      const { samples, sampleRate } = windows[indices[0]!]!;
      // A window is padded to twice its samples at most.
      const atATime = Math.max(1, Math.floor(BATCH_BYTES / (4 * (2 * samples.length + pixels))));
      for (let first = 0; first < indices.length; first += atATime) {
        const batch = indices.slice(first, first + atATime);
        const energy = scalogramEnergy(
          e,
          batch.map((i) => windows[i]!.samples),
          sampleRate,
          scalogram,
        );
        const energies = await e.read(energy).finally(() => e.release(energy));
        for (const [place, i] of batch.entries()) {
          images[i] = decibelImage(energies.subarray(place * pixels, (place + 1) * pixels), rangeDb);
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

/** 1 + dB / rangeDb for each energy, at least 0, with dB below the largest; 0 where all are 0. */
function decibelImage(energies: Float32Array, rangeDb: number): Float32Array {
  const largest = energies.reduce((a, b) => Math.max(a, b), 0);
  if (largest === 0) return new Float32Array(energies.length);
  return energies.map((energy) => Math.max(0, 1 + (10 * Math.log10(energy / largest)) / rangeDb));
}
