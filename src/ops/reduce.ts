/** sum, mean and max over any set of dimensions. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import * as oracle from '../reference/reduce.js';
import { type Case, defineOp, dimOf, type Op, shapeError } from './define.js';
import { lanesFor } from './lanes.js';
import { broadcastStrides, collapse, numbered, stridedCopy, stridesOf } from './strided.js';

export interface ReduceAttrs {
  /** Dimensions to reduce, negative ones counted back from the end; none means all. */
  readonly dims?: readonly number[];
  /** Keep them with extent 1. Default false. */
  readonly keepDims?: boolean;
}

const MODES = { sum: 0, max: 1, count: 2 } as const;

function reducedDims(x: Shape, dims: readonly number[] | undefined): ReadonlySet<number> {
  const all = dims && dims.length > 0 ? dims : x.map((_, i) => i);
  return new Set(all.map((dim) => (dim < 0 ? dim + x.length : dim)));
}

/** The shape with extent 1 in reduced dimensions. */
function keptShape(x: Shape, dims: readonly number[] | undefined): Shape {
  const reduced = reducedDims(x, dims);
  return x.map((extent, i) => (reduced.has(i) ? 1 : extent));
}

/** Loops of the kernel over what stays, and over what goes. */
const LOOPS = 2;

/** The dimensions of x that stay, and those that go, as walks over x. */
function walksOf(x: Shape, dims: readonly number[] | undefined, limit = LOOPS) {
  const reduced = reducedDims(x, dims);
  const strides = stridesOf(x);
  const pick = (wanted: boolean) => {
    const chosen = x.map((_, i) => i).filter((i) => reduced.has(i) === wanted);
    return collapse(
      chosen.map((i) => x[i]!),
      [chosen.map((i) => strides[i]!)],
      limit,
    );
  };
  return { kept: pick(false), gone: pick(true) };
}

export function reducedShape(name: string, x: Shape, attrs: ReduceAttrs): Shape {
  const { dims = [], keepDims = false } = attrs;
  if (!Array.isArray(dims)) throw shapeError(name, `dims ${dims}`, 'must be a list of dimensions', x);
  for (const dim of dims) dimOf(name, dim, x);
  const { kept, gone } = walksOf(x, dims, Number.POSITIVE_INFINITY);
  if (Math.max(kept.shape.length, gone.shape.length) > LOOPS) {
    const what = `must be at most ${LOOPS} groups of neighbouring dimensions, and so must those that stay`;
    throw shapeError(name, `dims [${dims}]`, what, x);
  }
  const reduced = reducedDims(x, dims);
  return keepDims ? keptShape(x, dims) : x.filter((_, i) => !reduced.has(i));
}

/** Invocations of a workgroup, unless more share an output. */
const GROUP = 64;

/**
 * Invocations that share an output. On a software adapter few, so that several outputs share the barriers,
 * which are what costs there; but where there are few outputs, most of the workgroup would do what nobody asked for. On a GPU long
 * sums keep more of it busy.
 */
function sharers(e: Engine, outputs: number, terms: number): number {
  if (terms < 256) return 1;
  if (e.capabilities.software) return outputs >= 8 ? 16 : GROUP;
  return terms >= 8192 ? 4 * GROUP : GROUP;
}

/** Reduces into `y`, whose shape may or may not keep the dimensions. `m`: see MODE 2 of the kernel. */
function reduceInto(
  e: Engine,
  mode: keyof typeof MODES,
  x: Tensor,
  dims: readonly number[] | undefined,
  y: Tensor,
  scale = 1,
  m = x,
): void {
  const { kept, gone } = walksOf(x.shape, dims);
  const outputs = sizeOf(y.shape);
  const terms = sizeOf(gone.shape);
  const WIDTH = sharers(e, outputs, terms);
  const group = Math.max(GROUP, WIDTH);
  const outer = numbered('outer', kept.shape, 1, LOOPS);
  // Neighbours are taken four at a time: then all strides but theirs are whole vec4s, too.
  const neighbours = gone.strides[0]!.at(-1) === 1;
  const lanes = lanesFor(neighbours ? gone.shape.at(-1)! : 1);
  const inItems = (stride: number): number => Math.ceil(stride / lanes.count);
  const inner = numbered('inner', gone.shape, 1, LOOPS);
  const outerStride = numbered('', kept.strides[0]!.map(inItems), 0, LOOPS);
  const innerStride = numbered('', gone.strides[0]!.map(inItems), 0, LOOPS);
  e.dispatch({
    file: 'reduce',
    uses: [lanes.file, 'lib/two_sum'],
    constants: {
      ...elements({ X: x }, lanes.count),
      ...elements({ M: m, Y: y }),
      MODE: MODES[mode],
      GROUP: group,
      WIDTH,
    },
    tensors: [x, m, y],
    params: {
      outputs,
      outer1: outer.outer1!,
      inner0: inner.inner0!,
      inner1: inner.inner1! / lanes.count,
      outer0_stride: outerStride['0']!,
      outer1_stride: outerStride['1']!,
      inner0_stride: innerStride['0']!,
      inner1_stride: innerStride['1']!,
      scale,
      zero: 0,
    },
    grid: gridFor(outputs, group / WIDTH),
  });
}

/** Sum over `dims` times `scale`, into `y` or a new tensor, of f32 whatever x is. */
export function sumOver(
  e: Engine,
  x: Tensor,
  attrs: ReduceAttrs,
  scale = 1,
  y = e.empty(reducedShape('sum', x.shape, attrs)),
): Tensor {
  reduceInto(e, 'sum', x, attrs.dims, y, scale);
  return y;
}

/** Repeats `gy`, the gradient of a reduction of `x` over `dims`, over the reduced dimensions, times `scale`. */
export function repeatOver(
  e: Engine,
  gy: Tensor,
  dims: readonly number[] | undefined,
  scale: number,
  gx: Tensor,
): Tensor {
  const strides = broadcastStrides(keptShape(gx.shape, dims), gx.shape);
  stridedCopy(e, gx.shape, { tensor: gy, strides }, { tensor: gx, strides: stridesOf(gx.shape) }, scale);
  return gx;
}

type ReduceOp = Op<ReduceAttrs, readonly [Tensor]>;

const CASES: readonly Case<ReduceAttrs>[] = [
  { shapes: [[3, 4, 5, 6]], attrs: { dims: [2, 3] } },
  { shapes: [[3, 4, 5, 6]], attrs: { dims: [1], keepDims: true } },
  { shapes: [[3, 4, 5, 6]], attrs: { dims: [0, 2, 3], keepDims: true } },
  { shapes: [[3, 4, 5, 6]], attrs: {} },
  { shapes: [[5, 2, 3]], attrs: { dims: [] } },
  { shapes: [[4, 3, 5]], attrs: { dims: [-1] } },
  { shapes: [[2, 7, 16, 17]], attrs: { dims: [2, 3] } },
  { shapes: [[5, 3, 2]], attrs: { dims: [0] } },
  { shapes: [[1, 1]], attrs: { dims: [1] } },
];

const BENCH: readonly Case<ReduceAttrs>[] = [{ shapes: [[16, 64, 32, 32]], attrs: { dims: [2, 3] } }];

const termsOf = (x: Shape, attrs: ReduceAttrs): number => sizeOf(x) / sizeOf(keptShape(x, attrs.dims));

function linearReduction(
  name: 'sum' | 'mean',
  reference: ReduceOp['reference'],
  scale: (x: Shape, attrs: ReduceAttrs) => number,
): ReduceOp {
  return defineOp<ReduceAttrs, readonly [Tensor]>({
    name,
    summary: `${name} of x over dims`,
    inputs: ['x'],
    half: { x: 'f16' },
    shape: ([x], attrs) => reducedShape(name, x!, attrs),
    forward: (e, [x], attrs) => ({ y: sumOver(e, x, attrs, scale(x.shape, attrs)) }),
    backward(e, _saved, gy, attrs, [want]) {
      if (!want) return [];
      const gx = want();
      return [repeatOver(e, gy, attrs.dims, scale(gx.shape, attrs), gx)];
    },
    reference,
    flops: ([x]) => sizeOf(x!),
    cases: CASES,
    bench: BENCH,
  });
}

export const sum = linearReduction('sum', oracle.sum, () => 1);

export const mean = linearReduction('mean', oracle.mean, (x, attrs) => 1 / termsOf(x, attrs));

export const max = defineOp<ReduceAttrs, readonly [Tensor]>({
  name: 'max',
  summary: 'greatest value of x over dims; ties share the gradient',
  inputs: ['x'],
  half: { x: 'f16' },
  shape: ([x], attrs) => reducedShape('max', x!, attrs),
  forward(e, [x], attrs) {
    const y = e.empty(reducedShape('max', x.shape, attrs), x.dtype);
    reduceInto(e, 'max', x, attrs.dims, y);
    return { y };
  },
  saves: ['x', 'y'],
  backward(e, { x, y }, gy, attrs, [want]) {
    if (!want) return [];
    const ties = e.empty(y!.shape);
    reduceInto(e, 'count', x!, attrs.dims, ties, 1, y);
    const gx = want();
    const walk = collapse(
      x!.shape,
      [stridesOf(x!.shape), broadcastStrides(keptShape(x!.shape, attrs.dims), x!.shape)],
      4,
    );
    const { extent0: _outermost, ...extents } = numbered('extent', walk.shape, 1, 4);
    const size = sizeOf(x!.shape);
    e.dispatch({
      file: 'max_gradient',
      constants: elements({ X: x!, Y: y!, GY: gy, GX: gx }),
      tensors: [x!, y!, ties, gy, gx],
      params: { size, ...extents, ...numbered('stride', walk.strides[1]!, 0, 4) },
      grid: gridFor(size, 64),
    });
    return [gx];
  },
  reference: oracle.max,
  flops: ([x]) => sizeOf(x!),
  cases: CASES,
  bench: BENCH,
});
