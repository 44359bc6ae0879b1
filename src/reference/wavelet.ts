import { type Array64, type Inputs, make, map, required } from './array.js';
import { fft, inverseFft } from './fft.js';

export interface CwtAttrs {
  /** The complex Morlet wavelet psi(s) = exp(-s^2 / bandwidth) exp(2 pi i centre s) / sqrt(pi bandwidth). */
  wavelet?: 'cmor';
  bandwidth: number;
  centre: number;
  /** Hz */
  sampleRate: number;
  /** L2 keeps the wavelet's energy at every scale. */
  norm?: 'L2';
}

/**
 * The continuous wavelet transform by its definition. [x [samples], frequencies [rows] in Hz] -> magnitude
 * [rows, samples], |W| of
 *
 *   W(a, k) = 1 / sqrt(a) * sum over m of x[m] conj(psi((m - k) / a)),  a = centre sampleRate / frequency
 *
 * with x = 0 outside. psi is left out where it is below e^-64 of its peak.
 */
export function cwt(inputs: Inputs, { bandwidth, centre, sampleRate }: CwtAttrs): { magnitude: Array64 } {
  const [x, frequencies] = required(inputs, 'x', 'frequencies');
  const samples = x.data.length;
  const magnitude = make([frequencies.data.length, samples]);
  frequencies.data.forEach((frequency, row) => {
    const a = (centre * sampleRate) / frequency;
    const reach = Math.ceil(8 * a * Math.sqrt(bandwidth));
    // psi at (m - k) / a for m - k = -reach .. reach.
    const offsets = Array.from({ length: 2 * reach + 1 }, (_, i) => (i - reach) / a);
    const envelope = (s: number) => Math.exp((-s * s) / bandwidth) / Math.sqrt(Math.PI * bandwidth);
    const psiRe = Float64Array.from(offsets, (s) => envelope(s) * Math.cos(2 * Math.PI * centre * s));
    const psiIm = Float64Array.from(offsets, (s) => envelope(s) * Math.sin(2 * Math.PI * centre * s));
    for (let k = 0; k < samples; k++) {
      let re = 0;
      let im = 0;
      for (let m = Math.max(0, k - reach); m < Math.min(samples, k + reach + 1); m++) {
        re += x.data[m] * psiRe[m - k + reach];
        im -= x.data[m] * psiIm[m - k + reach];
      }
      magnitude.data[row * samples + k] = Math.hypot(re, im) / Math.sqrt(a);
    }
  });
  return { magnitude };
}

export interface MorletAttrs {
  /** Hz */
  sampleRate: number;
  /** Frequency of the last row, Hz. */
  fmin: number;
  /** Frequency of the first row, Hz. */
  fmax: number;
  rows: number;
  /** Ratio of a row's frequency to its standard deviation in frequency: larger is finer in pitch, coarser in time. */
  w0: number;
}

export interface ScalogramAttrs extends MorletAttrs {
  /** Pixels in time, at most as many as samples. */
  width: number;
  /** dB from black to white. */
  rangeDb: number;
}

/** f_i = fmax (fmin / fmax)^(i / (rows - 1)): from high to low, in equal steps of pitch. */
export function rowFrequencies({ fmin, fmax, rows }: Pick<MorletAttrs, 'fmin' | 'fmax' | 'rows'>): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => fmax * (fmin / fmax) ** (rows > 1 ? i / (rows - 1) : 0));
}

/** Samples to reflect at each end: ceil(3 w0 sampleRate / (2 pi fmin)), three deviations of the longest wavelet. */
export function reflectPadding({ sampleRate, fmin, w0 }: Pick<MorletAttrs, 'sampleRate' | 'fmin' | 'w0'>): number {
  return Math.ceil((3 * w0 * sampleRate) / (2 * Math.PI * fmin));
}

/** Where a position outside 0 .. length - 1 is read: mirrored at the first and last sample, again and again. */
function reflect(position: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((position % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/**
 * |W| of the rows of the analytic Morlet transform, one after the other, each [samples]. The signal is reflected at both
 * ends, then padded with zeros to M, the next power of two; with X its Fourier transform, row i is
 *
 *   W = IFFT(X H),  H[k] = 2 exp(-((k - k_c) / s_k)^2 / 2) for 1 <= k <= M / 2, else 0,
 *   k_c = f_i M / sampleRate,  s_k = k_c / w0
 *
 * so that a tone of amplitude A gives |W| = A on its row.
 */
function* magnitudeRows(samples: ArrayLike<number>, attrs: MorletAttrs): Generator<Float64Array> {
  const padding = reflectPadding(attrs);
  const filled = samples.length + 2 * padding;
  const size = 2 ** Math.ceil(Math.log2(filled));
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0; i < filled; i++) re[i] = samples[reflect(i - padding, samples.length)];
  fft(re, im);
  for (const frequency of rowFrequencies(attrs)) {
    const centre = (frequency * size) / attrs.sampleRate;
    const deviation = centre / attrs.w0;
    const rowRe = new Float64Array(size);
    const rowIm = new Float64Array(size);
    for (let k = 1; k <= size / 2; k++) {
      const gain = 2 * Math.exp(-(((k - centre) / deviation) ** 2) / 2);
      rowRe[k] = re[k] * gain;
      rowIm[k] = im[k] * gain;
    }
    inverseFft(rowRe, rowIm);
    yield Float64Array.from(samples, (_, m) => Math.hypot(rowRe[padding + m], rowIm[padding + m]));
  }
}

/** |W| at every sample, [rows, samples], row 0 at fmax; see magnitudeRows. */
export function morletMagnitude(samples: ArrayLike<number>, attrs: MorletAttrs): Array64 {
  const magnitude = make([attrs.rows, samples.length]);
  let row = 0;
  for (const values of magnitudeRows(samples, attrs)) magnitude.data.set(values, row++ * samples.length);
  return magnitude;
}

/**
 * Energy |W|^2 averaged over the samples of each pixel, [rows, width]: sample m belongs to pixel
 * floor(m width / samples). Throws when there are fewer samples than pixels.
 */
export function morletEnergy(samples: ArrayLike<number>, attrs: Omit<ScalogramAttrs, 'rangeDb'>): Array64 {
  const { rows, width } = attrs;
  if (samples.length < width) throw new Error(`${samples.length} samples do not fill ${width} pixels`);
  const energy = make([rows, width]);
  const counts = new Float64Array(width);
  for (let m = 0; m < samples.length; m++) counts[Math.floor((m * width) / samples.length)]++;
  let row = 0;
  for (const magnitude of magnitudeRows(samples, attrs)) {
    magnitude.forEach((value, m) => {
      const pixel = Math.floor((m * width) / samples.length);
      energy.data[row * width + pixel] += value ** 2 / counts[pixel];
    });
    row++;
  }
  return energy;
}

/**
 * The wavelet spectrogram, [rows, width] in 0..1: 1 + dB / rangeDb, where dB = 10 log10(energy / largest energy) is not
 * taken below -rangeDb. Silence, which has no largest energy, is 0 throughout.
 */
export function morletScalogram(samples: ArrayLike<number>, attrs: ScalogramAttrs): Array64 {
  const energy = morletEnergy(samples, attrs);
  const largest = energy.data.reduce((a, b) => Math.max(a, b), 0);
  if (largest === 0) return energy;
  return map(energy, (value) => Math.max(0, 1 + (10 * Math.log10(value / largest)) / attrs.rangeDb));
}
