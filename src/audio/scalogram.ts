/**
 * The wavelet spectrogram on the GPU: an analytic wavelet transform by FFT, at the recording's own sample rate.
 *
 * A window is reflected at both ends and padded with zeros to M samples. With X its spectrum, row i is
 *
 *   W = IFFT(X H),  H[k] = 2 spectrum(k / k_c) for 1 <= k <= M / 2, else 0
 *   k_c = f_i M / sampleRate,  f_i = fmax (fmin / fmax)^(i / (rows - 1))
 *
 * with the spectrum of one of the wavelets in reference/motherWavelet.ts, so that a tone of amplitude A gives |W| = A on its
 * row. H is negligible outside of some bins around k_c: only K of them are transformed back, which gives W at every
 * (M / K)-th sample, enough to average |W|^2 over pixels.
 */
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import type { KernelSource } from '../kernel/source.js';
import type { Tensor } from '../memory/tensor.js';
import { fill } from '../ops/elementwise.js';
import { type MotherWavelet, sharpness, waveletSupport } from '../reference/motherWavelet.js';
import { reflectPadding, rowFrequencies } from '../reference/scalogram.js';
import { type Canvas, checkWindow, pixelEdges, reflected, usableLimit } from './canvas.js';
import { inverseFft, LONGEST_TRANSFORM, realFft, rootsOfUnity } from './fft.js';

/** Bytes of the largest tensor between the steps: windows are transformed so many at a time. */
const WORKING_BYTES = 2 ** 22;

/** Values of W that are averaged in each pixel, at least. */
const PER_PIXEL = 8;

/** Rows and pixels, and the wavelet. */
export type ScalogramOptions = Canvas & MotherWavelet;

/** Neighbouring rows that are transformed back from equally many bins. */
export interface RowGroup {
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
  /** [rows, 4]: first bin, k_c - first bin, 1 / k_c, 0. */
  readonly rowTable: Float32Array;
  /** Where pixels begin and end, [width + 1], in samples of the padded signal: half-way between two. */
  readonly edges: Float32Array;
}

/**
 * Plans windows of `samples` samples. Rows above 0.95 of half the sample rate are silent, so that recordings of all rates
 * share one frequency axis. Throws a `UserError` for windows that are too short, too long, or without any row.
 */
export function planScalogram(
  samples: number,
  sampleRate: number,
  options: ScalogramOptions,
  perPixel = PER_PIXEL,
): ScalogramPlan {
  const { rows, width } = options;
  checkWindow(samples, sampleRate, options);
  const padding = reflectPadding({ ...options, sampleRate });
  const size = 2 ** Math.max(2, Math.ceil(Math.log2(samples + 2 * padding)));
  if (size > LONGEST_TRANSFORM) {
    throw new UserError(
      `A window of ${samples} samples, with ${padding} reflected at each end, takes a transform of ${size} points; ` +
        `at most ${LONGEST_TRANSFORM} are possible. Use shorter windows, or a higher fmin.`,
    );
  }

  const frequencies = rowFrequencies(options);
  const silentRows = frequencies.filter((frequency) => frequency > usableLimit(sampleRate)).length;
  const [low, high] = waveletSupport(options);
  // |W|^2 changes faster than W: a wavelet that ends sharply needs as many bins as one that fades out.
  const wide = Math.max(high - low, 9 / sharpness(options));
  const rowTable = new Float32Array(4 * rows);
  const groups: RowGroup[] = [];
  for (let row = silentRows; row < rows; row++) {
    const centre = (frequencies[row]! * size) / sampleRate;
    const wanted = Math.max(wide * centre, (perPixel * width * size) / samples);
    const bins = Math.min(size, 2 ** Math.ceil(Math.log2(wanted)));
    // In the middle of what the wavelet covers below half the sample rate.
    const first = Math.round((low * centre + Math.min(size / 2, high * centre)) / 2) - bins / 2;
    rowTable.set([first, centre - first, 1 / centre], 4 * row);
    const group = groups.at(-1);
    if (group?.bins === bins && 8 * bins * (group.rows + 1) <= WORKING_BYTES) {
      groups[groups.length - 1] = { ...group, rows: group.rows + 1 };
    } else groups.push({ first: row, rows: 1, bins });
  }
  return { padding, size, silentRows, groups, rowTable, edges: pixelEdges(samples, width, padding) };
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
        const spectrum = realFft(e, e.upload(reflected(part, plan.padding, size), [part.length, size]));
        for (const group of groups)
          e.scope(() => groupEnergy(e, plan, group, options, spectrum, tables, energy, first));
        return undefined;
      });
    }
    return energy;
  });
}

/**
 * The spectra of a group's rows, cropped to their bins: spectra [windows, M / 2 + 1, 2] -> [windows, rows, K, 2], whose
 * inverse transforms are the rows. `rowTable` is the plan's, [all rows, 4].
 */
export function filterRows(
  e: Engine,
  { size }: ScalogramPlan,
  { first, rows, bins }: RowGroup,
  wavelet: MotherWavelet,
  spectrum: Tensor,
  rowTable: Tensor,
): Tensor {
  const windows = spectrum.shape[0]!;
  const filtered = e.empty([windows, rows, bins, 2]);
  e.dispatch({
    ...waveletKernel('scalogram_filter', wavelet),
    tensors: [spectrum, rowTable, filtered],
    params: { bins, half: size / 2, first_row: first, rows, gain: (2 * bins) / size, ...waveletParams(wavelet) },
    grid: [Math.ceil(bins / 64), rows, windows],
  });
  return filtered;
}

/** The energies of a group's rows, of the windows from `firstWindow` whose spectra are given, into their place. */
function groupEnergy(
  e: Engine,
  plan: ScalogramPlan,
  group: RowGroup,
  wavelet: MotherWavelet,
  spectrum: Tensor,
  tables: { readonly rows: Tensor; readonly edges: Tensor },
  energy: Tensor,
  firstWindow: number,
): undefined {
  const { first, rows, bins } = group;
  const [, allRows, width] = energy.shape;
  e.dispatch({
    file: 'scalogram_energy',
    tensors: [inverseFft(e, filterRows(e, plan, group, wavelet, spectrum, tables.rows)), tables.edges, energy],
    params: {
      bins,
      rows,
      width: width!,
      first_row: first,
      all_rows: allRows!,
      first_window: firstWindow,
      step: plan.size / bins,
    },
    grid: [Math.ceil(width! / 32), rows, spectrum.shape[0]!],
  });
}

/** A kernel that uses lib/wavelet.wgsl. */
export function waveletKernel(file: string, { transform }: MotherWavelet): KernelSource {
  const WAVELET = { morlet: 0, morse: 1, bump: 2 }[transform];
  return { file, uses: ['lib/wavelet'], constants: { WAVELET } };
}

/** What lib/wavelet.wgsl calls a and b. */
export function waveletParams(wavelet: MotherWavelet): { a: number; b: number } {
  switch (wavelet.transform) {
    case 'morlet':
      return { a: wavelet.w0, b: 0 };
    case 'morse':
      return { a: wavelet.beta, b: wavelet.gamma };
    case 'bump':
      return { a: wavelet.mu / wavelet.sigma, b: 0 };
  }
}
