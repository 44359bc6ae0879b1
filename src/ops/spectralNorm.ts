/** spectral_norm: three dispatches per power iteration, the last of which also divides the weight; two back. */
import type { Capabilities } from '../kernel/choose.js';
import { type Engine, gridFor } from '../kernel/engine.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import * as oracle from '../reference/spectralNorm.js';
import { type Case, defineOp, type InputShapes, shapeError } from './define.js';
import { dot, dotParts } from './dot.js';
import { cut, type Lanes, lanesFor, type Parts, reductionWidth, threadsLog2 } from './lanes.js';

export interface SpectralNormAttrs {
  /** Power iterations before the norm is taken; 0 uses u and v as they are. */
  readonly iterations: number;
  /** Smallest length that u and v are divided by. Default 1e-12. */
  readonly eps?: number;
}

/** The weight as a matrix [rows, columns], with columns and all sizes in items of `lanes` values. */
interface Layout {
  readonly lanes: Lanes;
  readonly rows: number;
  readonly columns: number;
  readonly items: number;
  /** Invocations of a workgroup that sums. */
  readonly width: number;
  /** How a row is cut for its product with v. */
  readonly cut: Parts;
}

function layoutOf(device: Capabilities, weight: Shape): Layout {
  const rows = weight[0]!;
  const values = sizeOf(weight) / rows;
  const lanes = lanesFor(values);
  const columns = values / lanes.count;
  const wanted = Math.ceil((device.software ? 8 : 256) / rows);
  return {
    lanes,
    rows,
    columns,
    items: rows * columns,
    width: reductionWidth(device),
    cut: cut(columns, wanted, 1024),
  };
}

/** Invocations that share a column of W^T u: more where there are too few columns to keep a GPU busy. */
function slicesFor(device: Capabilities, { rows, columns }: Layout): number {
  let slices = 1;
  while (!device.software && slices < 16 && columns * slices < 16384 && rows >= 8 * slices) slices *= 2;
  return slices;
}

/** t = W^T u. */
function timesColumns(e: Engine, layout: Layout, weight: Tensor, u: Tensor, t: Tensor): void {
  const { rows, columns, lanes } = layout;
  const SLICES = slicesFor(e.capabilities, layout);
  e.dispatch({
    file: 'spectral_norm_columns',
    uses: [lanes.file],
    constants: { WIDTH: 64, SLICES },
    tensors: [weight, u, t],
    params: { rows, columns },
    grid: gridFor(columns, 64 / SLICES),
  });
}

/** Parts of W t; with `squares` in a further row those of |t|^2. */
function timesRows(e: Engine, layout: Layout, weight: Tensor, t: Tensor, products: Tensor, squares: boolean): void {
  const { rows, columns, lanes, width } = layout;
  e.dispatch({
    file: 'spectral_norm_rows',
    uses: [lanes.file, 'lib/workgroup_sum'],
    constants: { WIDTH: width, SUM: 'f32' },
    tensors: [weight, t, products],
    params: { rows, columns, part_items: layout.cut.items },
    grid: [layout.cut.parts, squares ? rows + 1 : rows],
  });
}

/** Bindings of the last dispatch, in its order: weight, t, products, u, v, left, right, y. */
type Bindings = readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

function scale(e: Engine, layout: Layout, tensors: Bindings, eps: number, ITERATE: boolean, OUTPUT: boolean): void {
  const { rows, columns, lanes, items, width } = layout;
  const most = e.capabilities.software ? 8 : 512;
  e.dispatch({
    file: 'spectral_norm_scale',
    uses: [lanes.file, 'lib/workgroup_sum'],
    constants: { WIDTH: width, SUM: 'f32', ITERATE, OUTPUT },
    tensors,
    params: { rows, columns, parts: layout.cut.parts, eps },
    grid: [Math.min(most, Math.ceil((OUTPUT ? items : columns) / (4 * width)))],
  });
}

function checkedShape([weight, u, v]: InputShapes, { iterations }: SpectralNormAttrs): Shape {
  const name = 'spectral_norm';
  if (!weight || weight.length < 2) throw shapeError(name, 'weight', 'must have 2 dimensions at least', weight);
  const rows = weight[0]!;
  const columns = sizeOf(weight) / rows;
  if (u?.length !== 1 || u[0] !== rows) throw shapeError(name, 'u', `must have the ${rows} rows of weight`, u, weight);
  if (v?.length !== 1 || v[0] !== columns)
    throw shapeError(name, 'v', `must have the ${columns} columns of weight`, v, weight);
  if (!Number.isInteger(iterations) || iterations < 0) {
    throw new Error(`${name}: iterations must be a whole number from 0, not ${iterations}`);
  }
  return weight;
}

export const spectralNorm = defineOp<SpectralNormAttrs, readonly [Tensor, Tensor, Tensor]>({
  name: 'spectral_norm',
  summary: 'weight [O, ...], u [O], v [the rest] -> weight / (u . W v), after power iterations that move v, then u',
  inputs: ['weight', 'u', 'v'],
  output: 'weight',
  updates: ['u', 'v'],
  shape: checkedShape,
  forward(e, [weight, u, v], { iterations, eps = 1e-12 }, shape) {
    const layout = layoutOf(e.capabilities, shape);
    const left = e.empty([layout.rows + 1]);
    const right = e.empty(v.shape);
    const y = e.empty(shape);
    const products = e.empty([layout.rows + 1, layout.cut.parts]);
    if (iterations === 0) {
      timesRows(e, layout, weight, v, products, false);
      // v is bound to be written: what stands in t's place is not read.
      scale(e, layout, [weight, weight, products, u, v, left, right, y], eps, false, true);
    } else {
      const t = e.empty(v.shape);
      for (let i = 1; i <= iterations; i++) {
        timesColumns(e, layout, weight, u, t);
        timesRows(e, layout, weight, t, products, true);
        scale(e, layout, [weight, t, products, u, v, left, right, y], eps, true, i === iterations);
      }
    }
    return { y, left, right };
  },
  saves: ['y', 'left', 'right'],
  backward(e, { y, left, right }, gy, _attrs, [want]) {
    if (!want) return [];
    const { rows, columns, lanes, width } = layoutOf(e.capabilities, y!.shape);
    const { parts: count } = dotParts(e.capabilities, sizeOf(y!.shape));
    const parts = e.empty([count]);
    dot(e, gy, y!, parts);
    const gweight = want();
    const threads_log2 = threadsLog2(e.capabilities, columns);
    e.dispatch({
      file: 'spectral_norm_gradient',
      uses: [lanes.file, 'lib/workgroup_sum', 'lib/parts_sum'],
      constants: { WIDTH: width, SUM: 'f32' },
      tensors: [gy, parts, left!, right!, gweight],
      params: { rows, columns, threads_log2, parts: count },
      grid: gridFor(rows * 2 ** threads_log2, width),
    });
    return [gweight];
  },
  reference: oracle.spectralNorm,
  differenced: oracle.spectralNormFixed,
  flops: ([weight], { iterations }) => (4 * iterations + 3) * sizeOf(weight!),
  cases: [
    norm([8, 5, 3, 3], 1),
    norm([8, 5, 3, 3], 5),
    norm([8, 5, 3, 3], 0),
    norm([16, 4, 3, 3], 1),
    norm([1, 300], 1),
    norm([2, 1], 1),
    norm([17, 128], 2),
    norm([130, 3], 1),
    norm([1, 20480], 1),
    norm([3, 4101], 1),
    norm([2, 8192], 0),
  ],
  bench: [norm([128, 64, 3, 3], 1), norm([1, 131072], 1), norm([17, 131072], 1)],
});

function norm(weight: Shape, iterations: number): Case<SpectralNormAttrs> {
  return { shapes: [weight, [weight[0]!], [sizeOf(weight.slice(1))]], attrs: { iterations } };
}
