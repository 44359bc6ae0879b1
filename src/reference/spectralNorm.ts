import { type Array64, checkSame, type Inputs, make, map, required } from './array.js';

export interface SpectralNormAttrs {
  /** Power iterations before the norm is taken; 0 uses u and v as they are (evaluation). */
  iterations: number;
  /** Smallest length that u and v are divided by. */
  eps?: number;
}

/** Rows and columns of the weight [out, ...] as the matrix [out, rest], checked against u [out] and v [rest]. */
function matrixShape(weight: Array64, u: Array64, v: Array64): [rows: number, columns: number] {
  const rows = weight.shape[0];
  const columns = weight.data.length / rows;
  checkSame('rows of the weight and u', [rows], u.shape);
  checkSame('columns of the weight and v', [columns], v.shape);
  return [rows, columns];
}

/** vector / max(|vector|, eps). */
function normalize(vector: Array64, eps: number): Array64 {
  const length = Math.sqrt(vector.data.reduce((sum, value) => sum + value * value, 0));
  return map(vector, (value) => value / Math.max(length, eps));
}

/**
 * Spectral normalisation (Miyato et al. 2018). [weight [out, ...], u [out], v [rest]] -> weight, u, v.
 * With W the weight as [out, rest], `iterations` times v = normalize(W^T u), u = normalize(W v); then
 * weight / sigma with sigma = u . W v.
 */
export function spectralNorm(
  inputs: Inputs,
  { iterations, eps = 1e-12 }: SpectralNormAttrs,
): { weight: Array64; u: Array64; v: Array64 } {
  let [weight, u, v] = required(inputs, 'weight', 'u', 'v');
  const [rows, columns] = matrixShape(weight, u, v);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const nextV = make([columns]);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) nextV.data[j] += weight.data[i * columns + j] * u.data[i];
    }
    v = normalize(nextV, eps);
    const nextU = make([rows]);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) nextU.data[i] += weight.data[i * columns + j] * v.data[j];
    }
    u = normalize(nextU, eps);
  }
  return { weight: spectralNormFixed([weight, u, v]).weight, u: make(u.shape, u.data), v: make(v.shape, v.data) };
}

/**
 * [weight [out, ...], u [out], v [rest]] -> weight / (u . W v) with u and v as given. The gradient of spectralNorm is
 * defined as flowing through W only: it is the gradient of this function at the u and v that spectralNorm returned.
 */
export function spectralNormFixed(inputs: Inputs): { weight: Array64 } {
  const [weight, u, v] = required(inputs, 'weight', 'u', 'v');
  const [rows, columns] = matrixShape(weight, u, v);
  let sigma = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) sigma += u.data[i] * weight.data[i * columns + j] * v.data[j];
  }
  return { weight: map(weight, (value) => value / sigma) };
}
