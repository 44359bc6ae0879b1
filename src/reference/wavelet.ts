/** The continuous wavelet transform as it stands in textbooks: the complex Morlet wavelet, L2-normalised, in time. */
import { type Array64, type Inputs, make, required } from './array.js';

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
