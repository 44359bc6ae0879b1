/**
 * Neighbours on the GPU, in float32: |x - y|^2 = |x|^2 + |y|^2 - 2 x . y, the products by the matrix kernel, block by block,
 * so that memory stays bounded however many points there are. Both sets are moved by the mean of the points first: what cancels
 * is then no larger than need be. Squared distances are off by some 1e-6 of the greatest squared norm, so copies of a
 * point may come out as near it, but not upon it.
 */
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { product } from '../ops/matmul.js';
import { checkNearest, cpuSearch, type NeighbourSearch } from './neighbours.js';
import { checkPair, mean, type Points } from './points.js';

/** Rows and columns of a block of products: 16 MiB at most. */
const QUERIES = 4096;
const POINTS = 1024;

/** Multiplications from which on the GPU is worth its rounding: below, the CPU takes a second at most. */
const WORTHWHILE = 5e8;

/** Searches on the CPU where that takes a moment, on the GPU otherwise. */
export function neighbourSearch(e: Engine): NeighbourSearch {
  const gpu = gpuSearch(e);
  const fitting = (a: Points, b: Points): NeighbourSearch =>
    a.count * b.count * a.dimensions < WORTHWHILE ? cpuSearch : gpu;
  return {
    nearest: (queries, points, options) => fitting(queries, points).nearest(queries, points, options),
    ballsHolding: (queries, centres, radii) => fitting(queries, centres).ballsHolding(queries, centres, radii),
  };
}

export function gpuSearch(e: Engine): NeighbourSearch {
  return {
    async nearest(queries, points, options) {
      checkNearest(queries, points, options);
      const { k, self = false } = options;
      const squared = new Float64Array(queries.count * k);
      const indices = new Int32Array(queries.count * k);
      const [centredQueries, centredPoints] = centred(queries, points);
      for (const rows of blocks(centredQueries, QUERIES)) {
        const { count, first } = rows;
        const found = e.scope(() => {
          const nearest = e.empty([k, count]);
          const places = e.empty([k, count], 'u32');
          for (const block of products(e, rows, centredPoints)) {
            e.dispatch({
              file: 'nearest_neighbours',
              constants: { K: k },
              tensors: [block.products, block.queryNorms, block.norms, nearest, places],
              params: {
                queries: count,
                points: block.count,
                first_query: first,
                first_point: block.first,
                self_excluded: self ? 1 : 0,
              },
              grid: [Math.ceil(count / 64)],
            });
          }
          return { nearest, places };
        });
        const [columns, at] = [await e.read(found.nearest), await e.readInt(found.places)];
        e.release(found.nearest);
        e.release(found.places);
        for (let q = 0; q < count; q++) {
          for (let j = 0; j < k; j++) {
            squared[(first + q) * k + j] = columns[j * count + q]!;
            indices[(first + q) * k + j] = at[j * count + q]!;
          }
        }
      }
      return { squared, indices };
    },

    async ballsHolding(queries, centres, squaredRadii) {
      checkPair('Balls', queries, centres, 1);
      const counts = new Int32Array(queries.count);
      const [centredQueries, centredCentres] = centred(queries, centres);
      for (const rows of blocks(centredQueries, QUERIES)) {
        const found = e.scope(() => {
          const holding = e.empty([rows.count], 'u32');
          for (const block of products(e, rows, centredCentres)) {
            const radii = Float32Array.from(squaredRadii.subarray(block.first, block.first + block.count));
            e.dispatch({
              file: 'balls_holding',
              tensors: [block.products, block.queryNorms, block.norms, e.upload(radii, [block.count]), holding],
              params: { queries: rows.count, centres: block.count, first_centre: block.first },
              grid: [Math.ceil(rows.count / 64)],
            });
          }
          return holding;
        });
        counts.set(await e.readInt(found), rows.first);
        e.release(found);
      }
      return counts;
    },
  };
}

interface Block {
  /** Place of its first vector among all. */
  readonly first: number;
  readonly count: number;
  readonly dimensions: number;
  /** [count, dimensions] */
  readonly values: Float32Array;
  /** Squared lengths of the vectors as they are in float32. */
  readonly norms: Float32Array;
}

/** Both sets relative to the mean of the points. */
function centred(queries: Points, points: Points): [Points, Points] {
  const centre = mean(points);
  const moved = (set: Points): Points => ({
    ...set,
    values: set.values.map((value, i) => value - centre[i % set.dimensions]!),
  });
  return [moved(queries), moved(points)];
}

function* blocks({ count, dimensions, values }: Points, size: number): Generator<Block> {
  for (let first = 0; first < count; first += size) {
    const part = Float32Array.from(values.subarray(first * dimensions, (first + size) * dimensions));
    const rows = part.length / dimensions;
    const norms = Float32Array.from({ length: rows }, (_, i) =>
      part.subarray(i * dimensions, (i + 1) * dimensions).reduce((sum, value) => sum + value * value, 0),
    );
    yield { first, count: rows, dimensions, values: part, norms };
  }
}

interface Products {
  readonly first: number;
  readonly count: number;
  /** [count, queries] */
  readonly products: Tensor;
  readonly norms: Tensor;
  readonly queryNorms: Tensor;
}

/** Products of a block of queries with all points, a block of them at a time; each one's memory goes when the next is taken. */
function* products(e: Engine, rows: Block, points: Points): Generator<Products> {
  const queries = e.upload(rows.values, [rows.count, rows.dimensions]);
  const queryNorms = e.upload(rows.norms, [rows.count]);
  for (const { first, count, dimensions, values, norms } of blocks(points, POINTS)) {
    const part = e.upload(values, [count, dimensions]);
    const pointNorms = e.upload(norms, [count]);
    const block = product(e, part, queries, { transposeB: true }, e.empty([count, rows.count]));
    yield { first, count, products: block, norms: pointNorms, queryNorms };
    for (const tensor of [part, pointNorms, block]) e.release(tensor);
  }
}
