/**
 * Fast Fourier transforms on the GPU, of batches of sequences whose length is a power of two. Complex numbers are
 * interleaved: a tensor of shape [..., n, 2] holds sequences of n of them.
 */
import { type Engine, gridFor } from '../kernel/engine.js';
import { formatShape, reshaped, type Shape, sizeOf, type Tensor } from '../memory/tensor.js';

/** The longest sequence that can be transformed. */
export const LONGEST_TRANSFORM = 2 ** 20;

/** X[k] = sum over m of x[m] e^(-2 pi i k m / n). x [..., n, 2] -> a new tensor of the same shape. */
export function fft(e: Engine, x: Tensor): Tensor {
  return transform(e, x, -1, 1);
}

/** x[m] = 1 / n sum over k of X[k] e^(2 pi i k m / n). X [..., n, 2] -> a new tensor of the same shape. */
export function inverseFft(e: Engine, x: Tensor): Tensor {
  return transform(e, x, 1, 1 / complexLength(x.shape));
}

/** The spectrum of real sequences from 0 to half the sample rate. x [batch, n], n >= 4 -> X [batch, n / 2 + 1, 2]. */
export function realFft(e: Engine, x: Tensor): Tensor {
  const [batch, n] = x.shape;
  if (x.shape.length !== 2 || !isTransformLength(n!) || n! < 4) {
    throw new Error(`a real FFT needs [batch, n] with a power of two from 4 to 2^20, not ${formatShape(x.shape)}`);
  }
  const half = n! / 2;
  const roots = rootsOfUnity(e, n!);
  return e.scope(() => {
    const spectrum = e.empty([batch!, half + 1, 2]);
    e.dispatch({
      file: 'fft_real',
      tensors: [fft(e, reshaped(x, [batch!, half, 2])), roots, spectrum],
      params: { half, root_step: roots.shape[0]! / n! },
      grid: [Math.ceil((half + 1) / 64), batch!],
    });
    return spectrum;
  });
}

/**
 * The real sequences of spectra from 0 to half the sample rate; undoes `realFft`. X [batch, n / 2 + 1, 2], n a power of two
 * from 4 -> x [batch, n].
 */
export function inverseRealFft(e: Engine, spectra: Tensor): Tensor {
  const [batch, bins, parts] = spectra.shape;
  const half = bins! - 1;
  if (spectra.shape.length !== 3 || parts !== 2 || half < 2 || !isTransformLength(2 * half)) {
    throw new Error(`an inverse real FFT needs [batch, n / 2 + 1, 2], not ${formatShape(spectra.shape)}`);
  }
  const roots = rootsOfUnity(e, 2 * half);
  return e.scope(() => {
    const z = e.empty([batch!, half, 2]);
    e.dispatch({
      file: 'fft_real_inverse',
      tensors: [spectra, roots, z],
      params: { half, root_step: roots.shape[0]! / (2 * half) },
      grid: [Math.ceil(half / 64), batch!],
    });
    return reshaped(inverseFft(e, z), [batch!, 2 * half]);
  });
}

function transform(e: Engine, x: Tensor, sign: number, scale: number): Tensor {
  const n = complexLength(x.shape);
  const roots = rootsOfUnity(e, n);
  return e.scope(() => {
    const targets = [e.empty(x.shape), e.empty(x.shape)];
    let from = x;
    let done = 1;
    for (const [pass, radix] of radices(n).entries()) {
      const to = targets[pass % 2]!;
      const butterflies = sizeOf(x.shape) / 2 / radix;
      e.dispatch({
        file: 'fft',
        constants: { RADIX: radix },
        tensors: [from, roots, to],
        params: {
          butterflies,
          stride: n / radix,
          done,
          root_step: roots.shape[0]! / (radix * done),
          sign,
          scale: radix * done === n ? scale : 1,
        },
        grid: gridFor(butterflies, 64),
      });
      from = to;
      done *= radix;
    }
    return from;
  });
}

/** The radix of each pass over n points: eights, of which fours take what is left over. */
export function radices(n: number): number[] {
  if (n === 2) return [2];
  const bits = Math.log2(n);
  const fours = [0, 2, 1][bits % 3]!;
  return [...Array<number>((bits - 2 * fours) / 3).fill(8), ...Array<number>(fours).fill(4)];
}

const isTransformLength = (n: number): boolean => n >= 2 && n <= LONGEST_TRANSFORM && Number.isInteger(Math.log2(n));

function complexLength(shape: Shape): number {
  const [n, parts] = shape.slice(-2);
  if (shape.length < 2 || parts !== 2 || !isTransformLength(n!)) {
    throw new Error(`an FFT needs [..., n, 2] with a power of two from 2 to 2^20, not ${formatShape(shape)}`);
  }
  return n!;
}

interface Table {
  readonly roots: Tensor;
  readonly generation: number;
}

/** The longest table that an engine's transforms have needed: shorter ones read it in steps. */
const tables = new WeakMap<Engine, Table>();

/**
 * e^(2 pi i t / N) for t = 0 .. N - 1, [N, 2], with N >= n, computed in double precision. The table is kept for later
 * transforms until a longer one replaces it, or until the scope ends within which it was made.
 */
export function rootsOfUnity(e: Engine, n: number): Tensor {
  const table = tables.get(e);
  const alive = table && !table.roots.storage.free && table.generation === table.roots.storage.generation;
  if (alive && table.roots.shape[0]! >= n) return table.roots;
  if (alive) e.release(table.roots);
  const values = new Float32Array(2 * n);
  for (let t = 0; t < n; t++) {
    const angle = (2 * Math.PI * t) / n;
    values[2 * t] = Math.cos(angle);
    values[2 * t + 1] = Math.sin(angle);
  }
  const roots = e.upload(values, [n, 2]);
  tables.set(e, { roots, generation: roots.storage.generation });
  return roots;
}
