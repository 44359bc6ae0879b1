import {
  type Array64,
  checkSame,
  dimOf,
  flatIndex,
  forEachIndex,
  type Inputs,
  make,
  required,
  sizeOf,
  strides,
} from './array.js';

export interface ConcatAttrs {
  /** Negative ones count back from the end, here and below. */
  dim: number;
}

/** [a, b, ...]: the inputs one after the other along dim; all other extents are equal. */
export function concat(inputs: Inputs, attrs: ConcatAttrs): { y: Array64 } {
  const parts = required(inputs, ...inputs.map((_, position) => `part ${position}`));
  const [first] = parts;
  const dim = dimOf(attrs.dim, first.shape);
  for (const part of parts) {
    checkSame('shapes but for dim', first.shape.with(dim, 0), part.shape.with(dim, 0));
  }
  const y = make(
    first.shape.with(
      dim,
      parts.reduce((total, part) => total + part.shape[dim], 0),
    ),
  );
  const steps = strides(y.shape);
  let start = 0;
  for (const part of parts) {
    forEachIndex(part.shape, (index, flat) => {
      y.data[flatIndex(index, steps) + start * steps[dim]] = part.data[flat];
    });
    start += part.shape[dim];
  }
  return { y };
}

export interface ReshapeAttrs {
  /** The new shape, of as many elements. */
  shape: readonly number[];
}

/** [x]: the same elements in the same order, in another shape. */
export function reshape(inputs: Inputs, { shape }: ReshapeAttrs): { y: Array64 } {
  const [x] = required(inputs, 'x');
  return { y: make(shape, x.data) };
}

export interface PermuteAttrs {
  /** Dimension i of y is dimension dims[i] of x. */
  dims: readonly number[];
}

/** [x]: its dimensions in another order. */
export function permute(inputs: Inputs, attrs: PermuteAttrs): { y: Array64 } {
  const [x] = required(inputs, 'x');
  const dims = attrs.dims.map((dim) => dimOf(dim, x.shape));
  checkSame(
    'dims in order and the dimensions of x',
    dims.toSorted((a, b) => a - b),
    [...x.shape.keys()],
  );
  const y = make(dims.map((dim) => x.shape[dim]));
  const steps = strides(x.shape);
  forEachIndex(y.shape, (index, flat) => {
    y.data[flat] = x.data[index.reduce((position, i, dim) => position + i * steps[dims[dim]], 0)];
  });
  return { y };
}

export interface SliceAttrs {
  dim: number;
  start: number;
  length: number;
}

/** [x]: the part of x with start <= index < start + length in dimension dim. */
export function slice(inputs: Inputs, attrs: SliceAttrs): { y: Array64 } {
  const [x] = required(inputs, 'x');
  const { start, length } = attrs;
  const dim = dimOf(attrs.dim, x.shape);
  if (start < 0 || length < 0 || start + length > x.shape[dim]) {
    throw new Error(`a slice of ${length} from ${start} leaves dimension ${dim} of the shape [${x.shape}]`);
  }
  const y = make(x.shape.with(dim, length));
  const steps = strides(x.shape);
  forEachIndex(y.shape, (index, flat) => {
    y.data[flat] = x.data[flatIndex(index, steps) + start * steps[dim]];
  });
  return { y };
}

/** [weight [count, features], indices [...]] -> y [..., features]: the weight's row of each index. */
export function embedding(inputs: Inputs): { y: Array64 } {
  const [weight, indices] = required(inputs, 'weight', 'indices');
  const [count, features] = weight.shape;
  const y = make([...indices.shape, features]);
  for (let i = 0; i < sizeOf(indices.shape); i++) {
    const row = indices.data[i];
    if (!(row >= 0 && row < count)) throw new Error(`index ${row} at position ${i} is not a row of the ${count}`);
    for (let feature = 0; feature < features; feature++) {
      y.data[i * features + feature] = weight.data[row * features + feature];
    }
  }
  return { y };
}
