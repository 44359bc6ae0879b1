import { type Array64, dimOf, flatIndex, forEachIndex, type Inputs, make, required, sizeOf, strides } from './array.js';

export interface ReduceAttrs {
  /** Dimensions to reduce, negative ones counted back from the end; all of them when none is given. */
  dims?: readonly number[];
  /** Keep the reduced dimensions with extent 1; otherwise they disappear. */
  keepDims?: boolean;
}

/** Folds x over dims from an initial value; the result keeps the reduced dimensions when asked to. */
function reduce(
  x: Array64,
  { dims = [], keepDims = false }: ReduceAttrs,
  initial: number,
  combine: (total: number, value: number) => number,
): Array64 {
  const reduced = new Set(dims.length > 0 ? dims.map((dim) => dimOf(dim, x.shape)) : x.shape.keys());
  const kept = x.shape.map((extent, dim) => (reduced.has(dim) ? 1 : extent));
  const y = make(kept);
  y.data.fill(initial);
  const steps = strides(kept).map((step, dim) => (reduced.has(dim) ? 0 : step));
  forEachIndex(x.shape, (index, flat) => {
    const target = flatIndex(index, steps);
    y.data[target] = combine(y.data[target], x.data[flat]);
  });
  return keepDims
    ? y
    : make(
        x.shape.filter((_, dim) => !reduced.has(dim)),
        y.data,
      );
}

/** [x]: the sum over dims. */
export function sum(inputs: Inputs, attrs: ReduceAttrs = {}): { y: Array64 } {
  const [x] = required(inputs, 'x');
  return { y: reduce(x, attrs, 0, (total, value) => total + value) };
}

/** [x]: the arithmetic mean over dims. */
export function mean(inputs: Inputs, attrs: ReduceAttrs = {}): { y: Array64 } {
  const { y } = sum(inputs, attrs);
  const [x] = required(inputs, 'x');
  const count = sizeOf(x.shape) / sizeOf(y.shape);
  return {
    y: make(
      y.shape,
      y.data.map((total) => total / count),
    ),
  };
}

/** [x]: the largest value over dims. */
export function max(inputs: Inputs, attrs: ReduceAttrs = {}): { y: Array64 } {
  const [x] = required(inputs, 'x');
  return { y: reduce(x, attrs, Number.NEGATIVE_INFINITY, Math.max) };
}
