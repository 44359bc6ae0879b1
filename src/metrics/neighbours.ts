/** Nearest neighbours among points, by Euclidean distance. Distances are kept squared, so that ties stay ties. */
import { checkPair, type Points, pointAt } from './points.js';

export interface Neighbours {
  /** Squared distances [queries, k], ascending in each row. */
  readonly squared: Float64Array;
  /** Which points those are [queries, k]; of equally near ones the first. */
  readonly indices: Int32Array;
}

export interface NearestOptions {
  readonly k: number;
  /** The queries are the points themselves: none is its own neighbour. Default false. */
  readonly self?: boolean;
}

/** Who finds neighbours: `cpuSearch` exactly, in float64; for large sets `gpuSearch` (gpuNeighbours.ts). */
export interface NeighbourSearch {
  /** The k nearest points of each query. Throws a RangeError if there are fewer than k. */
  nearest(queries: Points, points: Points, options: NearestOptions): Promise<Neighbours>;
  /** How many balls hold each query [queries]: those around `centres` with squared radii [centres], their surface included. */
  ballsHolding(queries: Points, centres: Points, squaredRadii: Float64Array): Promise<Int32Array>;
}

/** Throws a RangeError that names both numbers if not every query can have k neighbours. */
export function checkNearest(queries: Points, points: Points, { k, self = false }: NearestOptions): void {
  checkPair('Nearest neighbours', queries, points, 1);
  if (self && queries.count !== points.count) throw new RangeError('the queries are not the points themselves');
  const available = points.count - (self ? 1 : 0);
  if (k > available) throw new RangeError(`${k} nearest neighbours were asked for, but there are only ${available}`);
}

/** In float64, comparing every query with every point. */
export const cpuSearch: NeighbourSearch = {
  async nearest(queries, points, options) {
    checkNearest(queries, points, options);
    const { k, self = false } = options;
    const squared = new Float64Array(queries.count * k).fill(Number.POSITIVE_INFINITY);
    const indices = new Int32Array(queries.count * k);
    for (let q = 0; q < queries.count; q++) {
      const query = pointAt(queries, q);
      for (let i = 0; i < points.count; i++) {
        if (self && i === q) continue;
        const distance = squaredDistance(query, pointAt(points, i));
        // Insertion into the row, which is kept sorted.
        let at = (q + 1) * k - 1;
        if (!(distance < squared[at]!)) continue;
        for (; at > q * k && distance < squared[at - 1]!; at--) {
          squared[at] = squared[at - 1]!;
          indices[at] = indices[at - 1]!;
        }
        squared[at] = distance;
        indices[at] = i;
      }
    }
    return { squared, indices };
  },

  async ballsHolding(queries, centres, squaredRadii) {
    checkPair('Balls', queries, centres, 1);
    const counts = new Int32Array(queries.count);
    for (let q = 0; q < queries.count; q++) {
      const query = pointAt(queries, q);
      for (let i = 0; i < centres.count; i++) {
        if (squaredDistance(query, pointAt(centres, i)) <= squaredRadii[i]!) counts[q]!++;
      }
    }
    return counts;
  },
};

export function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}

/** The last column of neighbours [queries, k]: the squared distances to the k-th. */
export const kthSquared = ({ squared }: Neighbours, k: number): Float64Array =>
  squared.filter((_, i) => i % k === k - 1);
