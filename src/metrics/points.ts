/** Sets of feature vectors, as plain float64 arrays. */

export interface Points {
  readonly count: number;
  readonly dimensions: number;
  /** [count, dimensions] */
  readonly values: Float64Array;
}

/** Throws a RangeError if the values are not whole vectors of `dimensions`, or not all finite. */
export function toPoints(values: ArrayLike<number>, dimensions: number): Points {
  const count = values.length / dimensions;
  if (!Number.isInteger(count)) throw new RangeError(`${values.length} values are not vectors of ${dimensions}`);
  const copy = Float64Array.from(values);
  const wrong = copy.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new RangeError(`feature vector ${Math.floor(wrong / dimensions)} holds ${copy[wrong]}`);
  return { count, dimensions, values: copy };
}

/** One vector, as a view. */
export const pointAt = ({ values, dimensions }: Points, i: number): Float64Array =>
  values.subarray(i * dimensions, (i + 1) * dimensions);

/** The vectors at `indices`, in that order; an index may come more than once. */
export function subset(points: Points, indices: ArrayLike<number>): Points {
  const { dimensions } = points;
  const values = new Float64Array(indices.length * dimensions);
  for (let i = 0; i < indices.length; i++) values.set(pointAt(points, indices[i]!), i * dimensions);
  return { count: indices.length, dimensions, values };
}

/** The mean vector [dimensions]. */
export function mean(points: Points): Float64Array {
  const { count, dimensions, values } = points;
  const sums = new Float64Array(dimensions);
  for (let i = 0; i < values.length; i++) sums[i % dimensions]! += values[i]!;
  return sums.map((sum) => sum / count);
}

/** The root of the mean variance of all dimensions; 1 where nothing varies. */
export function deviation(points: Points): number {
  const { count, dimensions, values } = points;
  const centre = mean(points);
  const squares = values.reduce((sum, value, i) => sum + (value - centre[i % dimensions]!) ** 2, 0);
  return Math.sqrt(squares / (count * dimensions)) || 1;
}

/** Throws a RangeError unless both are of the same dimensions and hold at least `least` points. */
export function checkPair(what: string, a: Points, b: Points, least: number): void {
  if (a.dimensions !== b.dimensions) {
    throw new RangeError(`${what}: vectors of ${a.dimensions} and of ${b.dimensions} cannot be compared`);
  }
  if (Math.min(a.count, b.count) < least) {
    throw new RangeError(`${what} needs ${least} points or more of each kind, but was given ${a.count} and ${b.count}`);
  }
}
