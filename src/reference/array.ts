/**
 * The arrays of the float64 oracles. An oracle is the plainest statement of what an op means: loops over indices,
 * in double precision, with no thought for speed. Kernels are compared with it, and gradients with its differences.
 */

/** A dense row-major array. Integer inputs (labels, indices) are whole numbers. Rank 0 has shape [] and one element. */
export interface Array64 {
  shape: number[];
  data: Float64Array;
}

/** Inputs of an op in its positional order; an optional input that is not given is undefined. */
export type Inputs = readonly (Array64 | undefined)[];

/** Results of an op by name. */
export type Outputs = { [name: string]: Array64 };

/** An oracle: pure, and it never changes its inputs. */
export type Oracle<Attrs> = (inputs: Inputs, attrs: Attrs) => Outputs;

/** Number of elements of a shape; 1 for the empty shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Row-major strides in elements: [2, 3, 4] has [12, 4, 1]. */
export function strides(shape: readonly number[]): number[] {
  return shape.map((_, dim) => sizeOf(shape.slice(dim + 1)));
}

/** An array of the given shape over the given values, or of zeros. Throws when their number does not fit the shape. */
export function make(shape: readonly number[], values?: ArrayLike<number>): Array64 {
  const size = sizeOf(shape);
  if (values !== undefined && values.length !== size) {
    throw new Error(`${values.length} values do not fill the shape [${shape}], which has ${size} elements`);
  }
  return { shape: [...shape], data: values ? Float64Array.from(values) : new Float64Array(size) };
}

/** Widens float32 (or integer) values as a GPU buffer or a file holds them; exact. */
export function fromFloat32(shape: readonly number[], values: Float32Array | Int32Array | Uint32Array): Array64 {
  return make(shape, values);
}

/** The element at an index, one number per dimension. Throws when the index is outside the shape. */
export function at(array: Array64, ...index: number[]): number {
  const inside =
    index.length === array.shape.length &&
    index.every((i, dim) => Number.isInteger(i) && i >= 0 && i < array.shape[dim]);
  if (!inside) throw new Error(`index [${index}] is outside the shape [${array.shape}]`);
  return array.data[flatIndex(index, strides(array.shape))];
}

/** Position in row-major data of an index. */
export function flatIndex(index: readonly number[], steps: readonly number[]): number {
  return index.reduce((sum, i, dim) => sum + i * steps[dim], 0);
}

/** Calls visit for every index of the shape in row-major order. The index array is reused: copy it to keep it. */
export function forEachIndex(shape: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const index = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(index, flat);
    for (let dim = shape.length - 1; dim >= 0 && ++index[dim] === shape[dim]; dim--) index[dim] = 0;
  }
}

/** A new array with f applied to every element. */
export function map(array: Array64, f: (value: number) => number): Array64 {
  return { shape: [...array.shape], data: array.data.map(f) };
}

/** The leading inputs of an op, which must be there. Throws with the name of the first that is not. */
export function required(inputs: Inputs, ...names: string[]): Array64[] {
  return names.map((name, position) => {
    const input = inputs[position];
    if (!input) throw new Error(`input ${position} (${name}) is missing`);
    return input;
  });
}

/** The dimension of the shape that dim names: negative ones count back from the end. Throws if there is none. */
export function dimOf(dim: number, shape: readonly number[]): number {
  const counted = dim < 0 ? dim + shape.length : dim;
  if (!Number.isInteger(counted) || counted < 0 || counted >= shape.length) {
    throw new Error(`dimension ${dim} is not one of the ${shape.length} of the shape [${shape}]`);
  }
  return counted;
}

/** Throws unless two shapes, or parts of them, are equal; what says what they are. */
export function checkSame(what: string, a: readonly number[], b: readonly number[]): void {
  if (a.length !== b.length || a.some((extent, i) => extent !== b[i])) {
    throw new Error(`${what} must be equal, but are [${a}] and [${b}]`);
  }
}
