/** Rows of a short-time Fourier spectrogram as weighted sums of its frequencies. */
import { type StftRows, stftRowFrequency } from '../reference/stft.js';

/** Triangles over the bins of a Fourier transform, one for each row. */
export interface Filterbank {
  /** [rows, 4]: first bin, how many of them, where their weights begin in `weights`, 0. */
  readonly bands: Uint32Array;
  readonly weights: Float32Array;
}

/**
 * Row i weights |X|^2 with a triangle: 1 at f_i, 0 at the neighbouring rows' frequencies, but at least a bin away from f_i,
 * so that rows closer than bins are interpolated between two of these. Each is divided by what it gives for a tone of
 * amplitude 1 at f_i under Hann's window of `length` samples, of which X is the transform of `size` points: so rows are
 * energies of tones, A^2 for an amplitude A, and not of noise, which is louder in wider rows (as with wavelets).
 */
export function createFilterbank(rows: StftRows, sampleRate: number, length: number, size: number): Filterbank {
  const bin = sampleRate / size;
  const bands = new Uint32Array(4 * rows.rows);
  const weights: number[] = [];
  for (let i = 0; i < rows.rows; i++) {
    const centre = stftRowFrequency(i, rows);
    const above = Math.max(stftRowFrequency(i - 1, rows), centre + bin);
    const below = Math.min(stftRowFrequency(i + 1, rows), centre - bin);
    const first = Math.max(0, Math.ceil(below / bin));
    const last = Math.min(size / 2, Math.floor(above / bin));
    const triangle: number[] = [];
    let tone = 0;
    for (let k = first; k <= last; k++) {
      const weight = Math.max(0, Math.min((above - k * bin) / (above - centre), (k * bin - below) / (centre - below)));
      triangle.push(weight);
      tone += weight * (hannSpectrum(centre / sampleRate - k / size, length) / 2) ** 2;
    }
    bands.set([first, triangle.length, weights.length], 4 * i);
    for (const weight of triangle) weights.push(tone > 0 ? weight / tone : 0);
  }
  return { bands, weights: Float32Array.from(weights.length > 0 ? weights : [0]) };
}

/** The sum over m of w[m] e^(-2 pi i x m), but for its phase, of Hann's window w[m] = sin^2(pi m / length); length is even. */
function hannSpectrum(x: number, length: number): number {
  // w is symmetric about length / 2, where it is 1/2 + 1/2 cos(2 pi d / length) for d = -length / 2 .. length / 2.
  const dirichlet = (y: number): number => {
    const sine = Math.sin(Math.PI * y);
    return Math.abs(sine) < 1e-12 ? length + 1 : Math.sin(Math.PI * y * (length + 1)) / sine;
  };
  return dirichlet(x) / 2 + (dirichlet(x - 1 / length) + dirichlet(x + 1 / length)) / 4;
}
