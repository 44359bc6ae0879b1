/** Wavelet spectrograms: analytic wavelets, L1-normalised, by their spectra. */
import { type Array64, make, map } from './array.js';
import { fft, inverseFft } from './fft.js';
import { type MotherWavelet, sharpness, waveletSpectrum } from './motherWavelet.js';

/** Rows of a wavelet transform, and the wavelet. */
export type WaveletAttrs = MotherWavelet & {
  /** Hz */
  sampleRate: number;
  /** Frequency of the last row, Hz. */
  fmin: number;
  /** Frequency of the first row, Hz. */
  fmax: number;
  rows: number;
};

export type ScalogramAttrs = WaveletAttrs & {
  /** Pixels in time, at most as many as samples. */
  width: number;
};

/** f_i = fmax (fmin / fmax)^(i / (rows - 1)): from high to low, in equal steps of pitch. */
export function rowFrequencies({ fmin, fmax, rows }: Pick<WaveletAttrs, 'fmin' | 'fmax' | 'rows'>): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => fmax * (fmin / fmax) ** (rows > 1 ? i / (rows - 1) : 0));
}

/** Samples to reflect at each end: ceil(3 sharpness sampleRate / (2 pi fmin)), three deviations of the longest wavelet. */
export function reflectPadding(attrs: MotherWavelet & Pick<WaveletAttrs, 'sampleRate' | 'fmin'>): number {
  return Math.ceil((3 * sharpness(attrs) * attrs.sampleRate) / (2 * Math.PI * attrs.fmin));
}

/** Where a position outside 0 .. length - 1 is read: mirrored at the first and last sample, again and again. */
export function reflect(position: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((position % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/**
 * |W| of the rows of an analytic wavelet transform, one after the other, each [samples]. The signal is reflected at both
 * ends, then padded with zeros to M, the next power of two; with X its Fourier transform, row i is
 *
 *   W = IFFT(X H),  H[k] = 2 spectrum(k / k_c) for 1 <= k <= M / 2, else 0,  k_c = f_i M / sampleRate
 *
 * so that a tone of amplitude A gives |W| = A on its row.
 */
function* magnitudeRows(samples: ArrayLike<number>, attrs: WaveletAttrs): Generator<Float64Array> {
  const padding = reflectPadding(attrs);
  const filled = samples.length + 2 * padding;
  const size = 2 ** Math.ceil(Math.log2(filled));
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0; i < filled; i++) re[i] = samples[reflect(i - padding, samples.length)];
  fft(re, im);
  for (const frequency of rowFrequencies(attrs)) {
    const centre = (frequency * size) / attrs.sampleRate;
    const rowRe = new Float64Array(size);
    const rowIm = new Float64Array(size);
    for (let k = 1; k <= size / 2; k++) {
      const gain = 2 * waveletSpectrum(attrs, k / centre);
      rowRe[k] = re[k] * gain;
      rowIm[k] = im[k] * gain;
    }
    inverseFft(rowRe, rowIm);
    yield Float64Array.from(samples, (_, m) => Math.hypot(rowRe[padding + m], rowIm[padding + m]));
  }
}

/** |W| at every sample, [rows, samples], row 0 at fmax; see magnitudeRows. */
export function waveletMagnitude(samples: ArrayLike<number>, attrs: WaveletAttrs): Array64 {
  const magnitude = make([attrs.rows, samples.length]);
  let row = 0;
  for (const values of magnitudeRows(samples, attrs)) magnitude.data.set(values, row++ * samples.length);
  return magnitude;
}

/**
 * Energy |W|^2 averaged over the samples of each pixel, [rows, width]: sample m belongs to pixel
 * floor(m width / samples). Throws when there are fewer samples than pixels.
 */
export function waveletEnergy(samples: ArrayLike<number>, attrs: ScalogramAttrs): Array64 {
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
 * A greyscale image of energies, in 0..1: 1 + dB / rangeDb, where dB = 10 log10(energy / white) is not taken below -rangeDb
 * nor above 0. White is the largest energy unless it is given; silence, which has no largest energy, is 0 throughout.
 */
export function decibelImage(energy: Array64, rangeDb: number, white?: number): Array64 {
  const most = white ?? energy.data.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0) return energy;
  return map(energy, (value) => Math.min(1, Math.max(0, 1 + (10 * Math.log10(value / most)) / rangeDb)));
}
