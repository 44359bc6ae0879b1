/** Transforms that say more about a signal than it holds, and can be undone: frames, in the mathematician's sense. */
import type { Shape, Tensor } from '../memory/tensor.js';

/** A linear transform whose inverse gives the signal whose transform is nearest to coefficients (its pseudo-inverse). */
export interface RedundantTransform {
  readonly signalShape: Shape;
  /** A signal -> its coefficients [..., 2], in parts. */
  analyse(signal: Tensor): Tensor[];
  synthesise(coefficients: readonly Tensor[]): Tensor;
}

/** The transform that a spectrogram shows, of a window reflected at both ends. */
export interface SpectrogramTransform extends RedundantTransform {
  /** The signal in time, of which `padding` samples come before the window. */
  read(signal: Tensor): Promise<Float32Array>;
  readonly padding: number;
  /** The coefficients' magnitudes by a spectrogram's amplitudes, [rows, width] one row after the other. */
  magnitudes(amplitudes: Float32Array): Tensor[];
  /** The same as coefficients, with the phases that the amplitudes' gradients suggest. */
  guess(amplitudes: Float32Array): Tensor[];
  /** What whoever made it has to release. */
  readonly tables: readonly Tensor[];
}

/** A row of [rows, width]. */
export const lineOf = (image: Float32Array, row: number, width: number): Float32Array =>
  image.subarray(row * width, (row + 1) * width);

/** The value at a position between two pixels of a row, or that of the first or last one beyond them. */
export function between(pixels: Float32Array, position: number): number {
  const inside = Math.min(pixels.length - 1, Math.max(0, position));
  const left = Math.min(Math.max(0, pixels.length - 2), Math.floor(inside));
  const share = inside - left;
  return pixels[left]! * (1 - share) + (pixels[left + 1] ?? 0) * share;
}

/** Sets the i-th of interleaved complex numbers to magnitude e^(2 pi i turns). */
export function setPolar(values: Float32Array, i: number, magnitude: number, turns: number): void {
  const angle = 2 * Math.PI * (turns - Math.round(turns));
  values[2 * i] = magnitude * Math.cos(angle);
  values[2 * i + 1] = magnitude * Math.sin(angle);
}
