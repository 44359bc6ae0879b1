/** spectral_norm: three dispatches per power iteration, the last of which also divides the weights; two back. */
import type { Capabilities } from '../kernel/choose.js';
import type { Engine } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { elementBytes, layOut, type Shape, sizeOf, spanOf, type Tensor } from '../memory/tensor.js';
import * as oracle from '../reference/spectralNorm.js';
import { type Case, defineOp, type InputShapes, type Saved, shapeError } from './define.js';
import { cut, type Parts, reductionWidth } from './lanes.js';
import { team } from './team.js';

export interface SpectralNormAttrs {
  /** Power iterations before the norm is taken; 0 uses u and v as they are. */
  readonly iterations: number;
  /** Smallest length that u and v are divided by. Default 1e-12. */
  readonly eps?: number;
  /** What the result is stored in. Default f32. */
  readonly dtype?: 'f32' | 'f16';
}

/** A weight as a matrix [rows, columns], and how its rows are cut. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly cut: Parts;
}

function matrixOf(device: Capabilities, weight: Shape): Matrix {
  const rows = weight[0]!;
  const columns = sizeOf(weight) / rows;
  // On a software adapter one invocation takes a part, on a GPU a team of them.
  const parts = device.software ? cut(columns, 16, 96) : cut(columns, Math.ceil(256 / rows), 4096);
  return { rows, columns, cut: parts };
}

/**
 * A row of workgroups per layer, enough for the largest of them up to a limit, beyond which each takes several tasks. On a
 * software adapter the limit is low, for there workgroups that find nothing to do cost as much as a short task.
 */
const gridFor = (
  device: Capabilities,
  matrices: readonly Matrix[],
  groups: (matrix: Matrix) => number,
): [number, number] => [Math.min(device.software ? 8 : 1024, Math.max(...matrices.map(groups))), matrices.length];

/** Invocations that share a task. */
const membersOf = (device: Capabilities): number => (device.software ? 1 : 64);

/** The same for kernels in which a team takes a task. */
const teamGrid = (device: Capabilities, matrices: readonly Matrix[], tasks: (matrix: Matrix) => number) =>
  gridFor(device, matrices, (matrix) => Math.ceil((tasks(matrix) * membersOf(device)) / 64));

const tasksOf = ({ rows, cut: { parts } }: Matrix): number => rows * parts;

/** Where each layer's values begin in the buffers of kernels/lib/spectral_norm.wgsl, in elements. */
type Places = Readonly<Partial<Record<(typeof FIELDS)[number], readonly number[]>>>;

/** The last fields of the kernels' `Layer`, in its order. */
const FIELDS = ['weight', 'u', 'v', 't', 'products', 'y', 'gy', 'kept'] as const;

function tableOf(e: Engine, matrices: readonly Matrix[], places: Places): Tensor {
  return e.table(
    matrices.flatMap(({ rows, columns, cut: { parts, items } }, i) => [
      ...[rows, columns, parts, items],
      ...FIELDS.map((field) => places[field]?.[i] ?? 0),
    ]),
  );
}

/** Tensors of one buffer: the range that holds them, and where in it each begins, in elements. */
interface Together {
  readonly span: Tensor;
  readonly starts: readonly number[];
}

function together(tensors: readonly Tensor[]): Together | undefined {
  const span = spanOf(tensors);
  return span && { span, starts: tensors.map(({ offset, dtype }) => (offset - span.offset) / elementBytes(dtype)) };
}

/** New tensors in one buffer. */
function allocate(
  e: Engine,
  shapes: readonly Shape[],
  dtype: 'f32' | 'f16' = 'f32',
): Together & { readonly tensors: readonly Tensor[] } {
  const { offsets, length } = layOut(shapes, dtype);
  const span = e.empty([length], dtype);
  const tensors = shapes.map((shape, i) => ({ ...span, shape, offset: offsets[i]! }));
  return { span, starts: offsets.map((offset) => offset / elementBytes(dtype)), tensors };
}

const apart = (a: Tensor, b: Tensor): boolean =>
  a.storage !== b.storage || a.offset + 4 * sizeOf(a.shape) <= b.offset || b.offset + 4 * sizeOf(b.shape) <= a.offset;

type Inputs = readonly [weight: Tensor, u: Tensor, v: Tensor];

interface Result {
  readonly y: Tensor;
  /** v, u, sigma as they were, for the way back. */
  readonly kept: Tensor;
  readonly [extra: string]: Tensor;
}

/** All layers in the same dispatches; undefined if their tensors do not lie together. */
function normalise(
  e: Engine,
  layers: readonly Inputs[],
  { iterations, eps = 1e-12, dtype }: SpectralNormAttrs,
): Result[] | undefined {
  const weight = together(layers.map(([tensor]) => tensor));
  const u = together(layers.map(([, tensor]) => tensor));
  const v = together(layers.map(([, , tensor]) => tensor));
  if (!weight || !u || !v || !apart(u.span, v.span)) return undefined;
  const matrices = layers.map(([{ shape }]) => matrixOf(e.capabilities, shape));
  const y = allocate(
    e,
    layers.map(([{ shape }]) => shape),
    dtype,
  );
  const kept = allocate(
    e,
    matrices.map(({ rows, columns }) => [columns + rows + 1]),
  );
  const t = allocate(
    e,
    layers.map(([, , { shape }]) => shape),
  );
  const products = allocate(
    e,
    matrices.map((matrix) => [tasksOf(matrix) + matrix.cut.parts]),
  );
  const table = tableOf(e, matrices, {
    weight: weight.starts,
    u: u.starts,
    v: v.starts,
    t: t.starts,
    products: products.starts,
    y: y.starts,
    kept: kept.starts,
  });

  /** t = W^T u. */
  const timesColumns = (): void => {
    const SLICES = slicesFor(e.capabilities, matrices);
    e.dispatch({
      file: 'spectral_norm_columns',
      uses: ['lib/spectral_norm'],
      constants: { WIDTH: 64, SLICES },
      tensors: [table, weight.span, u.span, t.span],
      params: {},
      grid: gridFor(e.capabilities, matrices, ({ columns }) => Math.ceil(columns / (64 / SLICES))),
    });
  };
  const WIDTH = reductionWidth(e.capabilities);
  const sharing = team(membersOf(e.capabilities));
  /** Parts of W t and of |t|^2; if GIVEN, of W v. */
  const timesRows = (GIVEN: boolean): void =>
    e.dispatch({
      file: 'spectral_norm_rows',
      uses: ['lib/spectral_norm', ...sharing.uses],
      constants: { ...sharing.constants, GIVEN },
      tensors: [table, weight.span, GIVEN ? v.span : t.span, products.span],
      params: {},
      grid: teamGrid(e.capabilities, matrices, (matrix) => tasksOf(matrix) + matrix.cut.parts),
    });
  const scale = (ITERATE: boolean, OUTPUT: boolean): void => {
    e.dispatch({
      file: 'spectral_norm_scale',
      uses: ['lib/spectral_norm', 'lib/workgroup_sum'],
      constants: { ...elements({ Y: y.span }, 4), WIDTH, SUM: 'f32', ITERATE, OUTPUT },
      tensors: [table, weight.span, t.span, products.span, u.span, v.span, kept.span, y.span],
      params: { eps },
      grid: gridFor(e.capabilities, matrices, ({ rows, columns }) =>
        Math.ceil((OUTPUT ? rows * columns : columns) / (32 * WIDTH)),
      ),
    });
  };
  if (iterations === 0) {
    timesRows(true);
    scale(false, true);
  }
  for (let i = 1; i <= iterations; i++) {
    timesColumns();
    timesRows(false);
    scale(true, i === iterations);
  }
  return layers.map((_, i) => ({ y: y.tensors[i]!, kept: kept.tensors[i]! }));
}

/** Invocations that share a column of W^T u: more where there are too few columns to keep a GPU busy. */
function slicesFor(device: Capabilities, matrices: readonly Matrix[]): number {
  const columns = matrices.reduce((sum, matrix) => sum + matrix.columns, 0);
  const rows = Math.max(...matrices.map((matrix) => matrix.rows));
  let slices = 1;
  while (!device.software && slices < 16 && columns * slices < 65536 && rows >= 8 * slices) slices *= 2;
  return slices;
}

/** Gradients of all weights in the same dispatches; undefined if their tensors do not lie together. */
function gradients(
  e: Engine,
  saved: readonly Saved[],
  gys: readonly Tensor[],
  gweights: readonly Tensor[],
): readonly Tensor[] | undefined {
  const [y, kept] = [together(saved.map((layer) => layer.y!)), together(saved.map((layer) => layer.kept!))];
  const [gy, gweight] = [together(gys), together(gweights)];
  if (!y || !kept || !gy || !gweight) return undefined;
  const matrices = gweights.map(({ shape }) => matrixOf(e.capabilities, shape));
  // As many for every layer, so that no layer's sum depends on what others it is computed with.
  const parts = e.capabilities.software ? 8 : 256;
  const products = allocate(
    e,
    matrices.map(() => [parts]),
  );
  const table = tableOf(e, matrices, {
    weight: gweight.starts,
    products: products.starts,
    y: y.starts,
    gy: gy.starts,
    kept: kept.starts,
  });
  e.dispatch({
    file: 'spectral_norm_inner',
    uses: ['lib/spectral_norm', 'lib/workgroup_sum'],
    constants: { ...elements({ GY: gy.span, Y: y.span }, 4), WIDTH: reductionWidth(e.capabilities), SUM: 'f32' },
    tensors: [table, gy.span, y.span, products.span],
    params: {},
    grid: [parts, matrices.length],
  });
  const sharing = team(membersOf(e.capabilities));
  e.dispatch({
    file: 'spectral_norm_gradient',
    uses: ['lib/spectral_norm', ...sharing.uses],
    constants: { ...elements({ GY: gy.span }), ...sharing.constants },
    tensors: [table, gy.span, products.span, kept.span, gweight.span],
    params: { parts },
    grid: teamGrid(e.capabilities, matrices, tasksOf),
  });
  return gweights;
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
  forward: (e, layer, attrs) => normalise(e, [layer], attrs)![0]!,
  forwardEach: (e, layers, attrs) =>
    normalise(e, layers, attrs) ?? layers.map((layer) => normalise(e, [layer], attrs)![0]!),
  saves: ['y', 'kept'],
  backward: (e, saved, gy, _attrs, [want]) => (want ? gradients(e, [saved], [gy], [want()])! : []),
  backwardEach(e, saved, gys, _attrs, wants) {
    const gweights = wants.map(([want]) => want!());
    const all = gradients(e, saved, gys, gweights);
    if (!all) for (const [i, gweight] of gweights.entries()) gradients(e, [saved[i]!], [gys[i]!], [gweight]);
    return gweights.map((gweight) => [gweight]);
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
