import type { Outputs } from './array.js';

/**
 * Central finite differences of f at x: (f(x + d) - f(x - d)) / 2d for one element at a time, with d = h max(1, |x_i|).
 * In float64 and with h = 1e-5 the error is near 1e-10 of f's scale. f gets a copy of x that is reused between calls.
 * Where f has kinks (ReLU, max), a step that crosses one is wrong by the change of slope: the more of them, the smaller h.
 * Returns one number per element of `elements` (positions in x), or of x when they are not given.
 */
export function gradient(
  f: (x: Float64Array) => number,
  x: Float64Array,
  elements?: readonly number[],
  h = 1e-5,
): Float64Array {
  const point = Float64Array.from(x);
  const partial = (i: number): number => {
    const step = h * Math.max(1, Math.abs(x[i]));
    const [above, below] = [x[i] + step, x[i] - step];
    point[i] = above;
    const valueAbove = f(point);
    point[i] = below;
    const valueBelow = f(point);
    point[i] = x[i];
    // The rounded points are not exactly 2 step apart.
    return (valueAbove - valueBelow) / (above - below);
  };
  return Float64Array.from(elements ?? x.keys(), partial);
}

/** The scalar that a backward pass differentiates: the sum of outputs times cotangents, over the outputs that have one. */
export function inner(outputs: Outputs, cotangents: Outputs): number {
  let total = 0;
  for (const [name, cotangent] of Object.entries(cotangents)) {
    const output = outputs[name];
    if (!output) throw new Error(`there is a cotangent for ${name}, but the outputs are ${Object.keys(outputs)}`);
    if (output.data.length !== cotangent.data.length) {
      throw new Error(`the cotangent of ${name} is [${cotangent.shape}], but the output is [${output.shape}]`);
    }
    output.data.forEach((value, i) => {
      total += value * cotangent.data[i];
    });
  }
  return total;
}
