/** The continuous wavelet transform with the complex Morlet wavelet, by FFT. */
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import type { CwtAttrs } from '../reference/wavelet.js';
import { inverseFft, LONGEST_TRANSFORM, realFft, rootsOfUnity } from './fft.js';

/** Bytes of the largest tensor between the steps: rows are transformed so many at a time. */
const WORKING_BYTES = 2 ** 25;

/**
 * |W| for each frequency (Hz, above 0) at each sample, a tensor [frequencies, samples]:
 *
 *   W(a, k) = 1 / sqrt(a) sum over m of x[m] conj(psi((m - k) / a)),  a = centre sampleRate / frequency
 *   psi(s) = exp(-s^2 / bandwidth) exp(2 pi i centre s) / sqrt(pi bandwidth)
 *
 * with x = 0 outside of the signal. Zeros are appended so that what wraps around the transform's end is below 1e-8 of the
 * wavelet's peak. Throws a `UserError` where that takes more than 2^20 samples.
 */
export function cwt(
  e: Engine,
  samples: Float32Array,
  frequencies: ArrayLike<number>,
  { bandwidth, centre, sampleRate }: CwtAttrs,
): Tensor {
  const cycles = Float32Array.from(frequencies, (frequency) => frequency / sampleRate);
  const lowest = cycles.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  if (!(lowest > 0 && lowest < Number.POSITIVE_INFINITY)) {
    throw new UserError(`A wavelet transform needs frequencies above 0 Hz, not ${Array.from(frequencies).join(', ')}.`);
  }
  const rows = cycles.length;
  // exp(-s^2 / bandwidth) = 1e-8 at s = sqrt(bandwidth ln 1e8).
  const reach = Math.ceil((centre / lowest) * Math.sqrt(bandwidth * Math.log(1e8)));
  const n = Math.max(4, 2 ** Math.ceil(Math.log2(samples.length + reach)));
  if (n > LONGEST_TRANSFORM) {
    throw new UserError(
      `A wavelet of ${lowest * sampleRate} Hz beside ${samples.length} samples takes a transform of ${n} points; ` +
        `at most ${LONGEST_TRANSFORM} are possible. Use a higher frequency or a shorter recording.`,
    );
  }
  rootsOfUnity(e, n);
  return e.scope(() => {
    const magnitude = e.empty([rows, samples.length]);
    const padded = new Float32Array(n);
    padded.set(samples);
    const spectrum = realFft(e, e.upload(padded, [1, n]));
    const cyclesTensor = e.upload(cycles, [rows]);
    const rowsAtATime = Math.max(1, Math.floor(WORKING_BYTES / (8 * n)));
    for (let first = 0; first < rows; first += rowsAtATime) {
      const count = Math.min(rowsAtATime, rows - first);
      e.scope(() => {
        const filtered = e.empty([count, n, 2]);
        e.dispatch({
          file: 'wavelet_filter',
          tensors: [spectrum, cyclesTensor, filtered],
          params: { n, first_row: first, bandwidth, centre },
          grid: [Math.ceil(n / 64), count],
        });
        e.dispatch({
          file: 'wavelet_magnitude',
          tensors: [inverseFft(e, filtered), magnitude],
          params: { n, samples: samples.length, first_row: first },
          grid: [Math.ceil(samples.length / 64), count],
        });
        return undefined;
      });
    }
    return magnitude;
  });
}
