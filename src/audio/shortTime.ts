/** Short-time Fourier spectra on the processor, for what looks at whole recordings before any window is cut. */
import { fft } from '../reference/fft.js';

/** Samples of a frame: the power of two nearest to 23 ms (1024 at 44.1 kHz), which tells notes of birds apart. */
export function frameLength(sampleRate: number): number {
  return 2 ** Math.max(4, Math.round(Math.log2(0.023 * sampleRate)));
}

/** Hann's window w[m] = sin^2(pi m / length), periodic: copies a quarter of its length apart add up to 2. */
export function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, m) => Math.sin((Math.PI * m) / length) ** 2);
}

/**
 * The spectra of frames of `length` samples (a power of two) under `window`, beginning at `start`, start + hop, ... as
 * many as `count`; samples beyond the ends are 0. Frames come in pairs as real and imaginary part of one sequence, whose
 * transform Z = A + i B holds both spectra: A[k] = (Z[k] + conj Z[-k]) / 2, B[k] = (Z[k] - conj Z[-k]) / 2i. `visit` gets
 * Z, in arrays that are used again, and the number of the first frame of the pair; the last may have no second one.
 */
export function framePairs(
  samples: Float32Array,
  window: Float64Array,
  { start, hop, count }: { start: number; hop: number; count: number },
  visit: (re: Float64Array, im: Float64Array, frame: number) => void,
): void {
  const { length } = window;
  const re = new Float64Array(length);
  const im = new Float64Array(length);
  const take = (to: Float64Array, frame: number) => {
    const first = start + frame * hop;
    for (let m = 0; m < length; m++) to[m] = frame < count ? window[m]! * (samples[first + m] ?? 0) : 0;
  };
  for (let frame = 0; frame < count; frame += 2) {
    take(re, frame);
    take(im, frame + 1);
    fft(re, im);
    visit(re, im, frame);
  }
}

/** |A[k]|^2 and |B[k]|^2 of a pair's transform. */
export function pairPower(re: Float64Array, im: Float64Array, k: number): [number, number] {
  const mirror = (re.length - k) % re.length;
  const [p, q] = [re[k]!, im[k]!];
  const [r, s] = [re[mirror]!, im[mirror]!];
  return [((p + r) ** 2 + (q - s) ** 2) / 4, ((p - r) ** 2 + (q + s) ** 2) / 4];
}
