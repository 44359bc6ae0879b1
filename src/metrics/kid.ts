/**
 * The kernel distance between two sets of points: the squared maximum mean discrepancy under a polynomial kernel,
 *
 *   MMD^2 = mean over i != j of k(x_i, x_j) + mean over i != j of k(y_i, y_j) - 2 mean of k(x_i, y_j),
 *   k(x, y) = (x . y / dimensions + 1)^3,
 *
 * which is unbiased, however few the points, if they are drawn independently: its expectation is 0 where both come from one
 * distribution, so that it may come out below 0. Source: Binkowski et al. 2018, "Demystifying MMD GANs".
 */
import { Matrix } from 'ml-matrix';
import type { Random } from '../audio/random.js';
import { choose } from './bootstrap.js';
import { checkPair, type Points, subset } from './points.js';

export interface KidOptions {
  /** Points of each kind in a subset. Default 1000. */
  readonly size?: number;
  /** Subsets whose mean is taken where there are more points than that. Default 100. */
  readonly subsets?: number;
  /** Of the subsets. */
  readonly random: Random;
}

/** The kernel distance; of large sets, its mean over random subsets. Needs two points of each. */
export function kernelDistance(a: Points, b: Points, options: KidOptions): number {
  const { size = 1000, subsets = 100, random } = options;
  if (Math.max(a.count, b.count) <= size) return discrepancy(kernels(a, b));
  const some = (points: Points): Points => subset(points, choose(points.count, size, random));
  let sum = 0;
  for (let i = 0; i < subsets; i++) sum += discrepancy(kernels(some(a), some(b)));
  return sum / subsets;
}

/** The kernel between all pairs of two sets and within each: as rows. */
export interface Kernels {
  readonly aa: readonly Float64Array[];
  readonly bb: readonly Float64Array[];
  readonly ab: readonly Float64Array[];
}

export function kernels(a: Points, b: Points): Kernels {
  checkPair('The kernel distance', a, b, 2);
  const [x, y] = [asMatrix(a), asMatrix(b)];
  const [xT, yT] = [x.transpose(), y.transpose()];
  const kernel = (products: Matrix): Float64Array[] =>
    products.to2DArray().map((row) => Float64Array.from(row, (product) => (product / a.dimensions + 1) ** 3));
  return { aa: kernel(x.mmul(xT)), bb: kernel(y.mmul(yT)), ab: kernel(x.mmul(yT)) };
}

const asMatrix = ({ count, dimensions, values }: Points): Matrix => Matrix.from1DArray(count, dimensions, values);

/**
 * MMD^2. With weights, each point counts as often as they say, as in a bootstrap's draw; copies of one point are no pair, or
 * every repeat would pass for a likeness between points. Not finite if the weights leave fewer than two points of a kind.
 */
export function discrepancy({ aa, bb, ab }: Kernels, weightsA = ones(aa.length), weightsB = ones(bb.length)): number {
  return (
    pairs(aa, weightsA) + pairs(bb, weightsB) - 2 * (form(ab, weightsA, weightsB) / (sum(weightsA) * sum(weightsB)))
  );
}

/** The mean of the kernel over pairs of different points. */
function pairs(kernel: readonly Float64Array[], weights: Float64Array): number {
  const own = weights.reduce((total, w, i) => total + w * w * kernel[i]![i]!, 0);
  const squares = weights.reduce((total, w) => total + w * w, 0);
  return (form(kernel, weights, weights) - own) / (sum(weights) ** 2 - squares);
}

/** The sum over i and j of u_i kernel[i][j] v_j. */
function form(kernel: readonly Float64Array[], u: Float64Array, v: Float64Array): number {
  let total = 0;
  for (const [i, row] of kernel.entries()) {
    if (u[i] === 0) continue;
    let dot = 0;
    for (let j = 0; j < row.length; j++) dot += row[j]! * v[j]!;
    total += u[i]! * dot;
  }
  return total;
}

const ones = (count: number): Float64Array => new Float64Array(count).fill(1);

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
