/** Short-time Fourier spectrograms, with rows linear in frequency or on the mel scale. */
import { type Array64, make } from './array.js';
import { fft } from './fft.js';
import { reflect } from './scalogram.js';

export interface StftAttrs {
  /** `stft`: rows linear in frequency; `mel`: in Slaney's mel. */
  transform: 'stft' | 'mel';
  /** Hz */
  sampleRate: number;
  /** Frequency of the last row, Hz. */
  fmin: number;
  /** Frequency of the first row, Hz. */
  fmax: number;
  rows: number;
  /** Pixels in time, at most as many as samples. */
  width: number;
  /** Length of a frame, seconds. */
  frame: number;
  /** From one frame to the next, seconds. */
  frameHop: number;
}

/** Slaney's mel (the Auditory Toolbox, and librosa's default): linear up to 1000 Hz, 15 mel, then 27 mel for a ratio of 6.4. */
export function hertzToMel(hertz: number): number {
  return hertz < 1000 ? (3 * hertz) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4);
}

export function melToHertz(mel: number): number {
  return mel < 15 ? (200 * mel) / 3 : 1000 * 6.4 ** ((mel - 15) / 27);
}

/** Frequency of row i, from fmax (0) to fmin (rows - 1), and of what would be rows beyond these. */
export function stftRowFrequency(i: number, { transform, fmin, fmax, rows }: StftRows): number {
  const along = (low: number, high: number) => high + ((low - high) * i) / Math.max(1, rows - 1);
  return transform === 'mel' ? melToHertz(along(hertzToMel(fmin), hertzToMel(fmax))) : along(fmin, fmax);
}

export type StftRows = Pick<StftAttrs, 'transform' | 'fmin' | 'fmax' | 'rows'>;

/** In samples: length of a frame, even; of its Fourier transform, a power of two; and from one frame to the next. */
export function frameSizes({ sampleRate, frame, frameHop }: Pick<StftAttrs, 'sampleRate' | 'frame' | 'frameHop'>): {
  length: number;
  size: number;
  hop: number;
} {
  const length = Math.max(4, 2 * Math.round((frame * sampleRate) / 2));
  const hop = Math.min(length / 2, Math.max(1, Math.round(frameHop * sampleRate)));
  return { length, size: 2 ** Math.ceil(Math.log2(length)), hop };
}

/**
 * Energies [rows, width], such that a tone of amplitude A has A^2 on its row.
 *
 * The signal is reflected at both ends; frame t, centred at sample t hop, is weighted with Hann's window w[m] =
 * sin^2(pi m / length) and transformed to X. Row i is a triangle over frequency, 1 at f_i and 0 at its neighbours (but at
 * least a bin away), which weights |X|^2, all divided by what a tone of amplitude 1 at f_i would give. A pixel is the mean
 * over its samples, each of which has the energy of the frame whose centre is nearest.
 */
export function stftEnergy(samples: ArrayLike<number>, attrs: StftAttrs): Array64 {
  const { sampleRate, rows, width } = attrs;
  if (samples.length < width) throw new Error(`${samples.length} samples do not fill ${width} pixels`);
  const { length, size, hop } = frameSizes(attrs);
  const window = Float64Array.from({ length }, (_, m) => Math.sin((Math.PI * m) / length) ** 2);
  const bin = sampleRate / size;

  const powers = (value: (m: number) => number): Float64Array => {
    const re = Float64Array.from({ length: size }, (_, m) => (m < length ? window[m] * value(m) : 0));
    const im = new Float64Array(size);
    fft(re, im);
    return Float64Array.from({ length: size / 2 + 1 }, (_, k) => re[k] ** 2 + im[k] ** 2);
  };
  // As complex: its mirror image at negative frequencies is left out.
  const tonePower = (hertz: number, k: number): number => {
    let [re, im] = [0, 0];
    for (let m = 0; m < length; m++) {
      const angle = 2 * Math.PI * (hertz / sampleRate - k / size) * m;
      re += (window[m] * Math.cos(angle)) / 2;
      im += (window[m] * Math.sin(angle)) / 2;
    }
    return re ** 2 + im ** 2;
  };
  const weights = Array.from({ length: rows }, (_, i) => {
    const centre = stftRowFrequency(i, attrs);
    const above = Math.max(stftRowFrequency(i - 1, attrs), centre + bin);
    const below = Math.min(stftRowFrequency(i + 1, attrs), centre - bin);
    const triangle = Array.from({ length: size / 2 + 1 }, (_, k) =>
      Math.max(0, Math.min((above - k * bin) / (above - centre), (k * bin - below) / (centre - below))),
    );
    const tone = triangle.reduce((sum, weight, k) => sum + (weight > 0 ? weight * tonePower(centre, k) : 0), 0);
    return triangle.map((weight) => weight / tone);
  });

  const energy = make([rows, width]);
  const frames = Array.from({ length: Math.floor((samples.length - 1) / hop + 0.5) + 1 }, (_, t) => {
    const power = powers((m) => samples[reflect(t * hop - length / 2 + m, samples.length)]);
    return weights.map((row) => row.reduce((sum, weight, k) => sum + weight * power[k], 0));
  });
  const counts = new Float64Array(width);
  const pixelOf = (m: number) => Math.floor((m * width) / samples.length);
  for (let m = 0; m < samples.length; m++) counts[pixelOf(m)]++;
  for (let m = 0; m < samples.length; m++) {
    frames[Math.floor(m / hop + 0.5)].forEach((value, row) => {
      energy.data[row * width + pixelOf(m)] += value / counts[pixelOf(m)];
    });
  }
  return energy;
}
