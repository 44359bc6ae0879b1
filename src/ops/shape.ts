/** reshape, permute, slice and concat: values move, none is computed. */
import { reshaped, type Shape, sameShape, sizeOf, type Tensor } from '../memory/tensor.js';
import * as oracle from '../reference/shape.js';
import { defineOp, dimOf, isCount, shapeError } from './define.js';
import { fill } from './elementwise.js';
import { stridedCopy, stridesOf } from './strided.js';

export const reshape = defineOp<{ shape: Shape }, readonly [Tensor]>({
  name: 'reshape',
  summary: 'the same values under another shape',
  inputs: ['x'],
  half: { x: 'f16' },
  view: true,
  shape([x], { shape }) {
    if (sizeOf(x!) !== sizeOf(shape)) throw shapeError('reshape', 'shape', 'must have as many elements as x', x, shape);
    return shape;
  },
  forward: (_e, [x], { shape }) => ({ y: reshaped(x, shape) }),
  saves: ['x'],
  backward: (_e, { x }, gy, _attrs, [want]) => [want && reshaped(gy, x!.shape)],
  reference: (inputs, { shape }) => oracle.reshape(inputs, { shape: [...shape] }),
  flops: () => 0,
  cases: [{ shapes: [[2, 3, 4]], attrs: { shape: [4, 6] } }],
});

const permuted = (shape: Shape, dims: readonly number[]): number[] => dims.map((dim) => shape.at(dim)!);

export const permute = defineOp<{ dims: readonly number[] }, readonly [Tensor]>({
  name: 'permute',
  summary: 'dimension i of y is dimension dims[i] of x',
  inputs: ['x'],
  half: { x: 'f16' },
  shape([x], { dims }) {
    const named = new Set(dims.map((dim) => dimOf('permute', dim, x!)));
    if (dims.length !== x!.length || named.size !== x!.length) {
      throw shapeError('permute', `dims [${dims}]`, 'must name each dimension of x once', x);
    }
    return permuted(x!, dims);
  },
  forward(e, [x], { dims }) {
    const y = e.empty(permuted(x.shape, dims), x.dtype);
    const from = permuted(stridesOf(x.shape), dims);
    stridedCopy(e, y.shape, { tensor: x, strides: from }, { tensor: y, strides: stridesOf(y.shape) });
    return { y };
  },
  backward(e, _saved, gy, { dims }, [want]) {
    if (!want) return [];
    const gx = want();
    const to = permuted(stridesOf(gx.shape), dims);
    stridedCopy(e, gy.shape, { tensor: gy, strides: stridesOf(gy.shape) }, { tensor: gx, strides: to });
    return [gx];
  },
  reference: (inputs, { dims }) => oracle.permute(inputs, { dims: [...dims] }),
  flops: () => 0,
  cases: [
    { shapes: [[2, 3, 4, 5]], attrs: { dims: [0, 2, 3, 1] } },
    { shapes: [[7, 3]], attrs: { dims: [1, 0] } },
    { shapes: [[2, 3, 4]], attrs: { dims: [-1, 0, -2] } },
  ],
  bench: [{ shapes: [[16, 64, 32, 32]], attrs: { dims: [0, 2, 3, 1] } }],
});

export interface SliceAttrs {
  readonly dim: number;
  readonly start: number;
  readonly length: number;
}

export const slice = defineOp<SliceAttrs, readonly [Tensor]>({
  name: 'slice',
  summary: 'positions start to start + length of one dimension',
  inputs: ['x'],
  half: { x: 'f16' },
  shape([x], { dim, start, length }) {
    if (!isCount(start, 0) || !isCount(length, 1) || start + length > x![dimOf('slice', dim, x!)]!) {
      throw shapeError('slice', `dim ${dim}, positions ${start} to ${start + length},`, 'must lie in x', x);
    }
    return x!.with(dim, length);
  },
  forward(e, [x], { dim, start }, shape) {
    const y = e.empty(shape, x.dtype);
    const strides = stridesOf(x.shape);
    stridedCopy(
      e,
      y.shape,
      { tensor: x, strides, start: start * strides.at(dim)! },
      { tensor: y, strides: stridesOf(y.shape) },
    );
    return { y };
  },
  backward(e, _saved, gy, { dim, start }, [want]) {
    if (!want) return [];
    const gx = fill(e, want(), 0);
    const strides = stridesOf(gx.shape);
    stridedCopy(
      e,
      gy.shape,
      { tensor: gy, strides: stridesOf(gy.shape) },
      { tensor: gx, strides, start: start * strides.at(dim)! },
    );
    return [gx];
  },
  reference: oracle.slice,
  flops: () => 0,
  cases: [
    { shapes: [[5, 3, 4]], attrs: { dim: 0, start: 2, length: 3 } },
    { shapes: [[2, 7, 5]], attrs: { dim: 1, start: 1, length: 4 } },
    { shapes: [[2, 5, 7]], attrs: { dim: -2, start: 1, length: 3 } },
  ],
});

export const concat = defineOp<{ dim: number }, readonly [Tensor, Tensor]>({
  name: 'concat',
  summary: 'a, then b, along one dimension',
  inputs: ['a', 'b'],
  half: { a: 'f16', b: 'f16' },
  shape([a, b], { dim }) {
    const along = dimOf('concat', dim, a!);
    if (a!.length !== b?.length || !sameShape(a!.with(along, 0), b.with(along, 0))) {
      throw shapeError('concat', 'a and b', `must agree in all dimensions but ${dim}`, a, b);
    }
    return a!.with(along, a![along]! + b[along]!);
  },
  forward(e, [a, b], { dim }, shape) {
    const y = e.empty(shape, a.dtype);
    const strides = stridesOf(y.shape);
    stridedCopy(e, a.shape, { tensor: a, strides: stridesOf(a.shape) }, { tensor: y, strides });
    const start = a.shape.at(dim)! * strides.at(dim)!;
    stridedCopy(e, b.shape, { tensor: b, strides: stridesOf(b.shape) }, { tensor: y, strides, start });
    return { y };
  },
  backward(e, _saved, gy, { dim }, want) {
    const strides = stridesOf(gy.shape);
    const part = (gx: Tensor, start: number): Tensor => {
      stridedCopy(
        e,
        gx.shape,
        { tensor: gy, strides, start: start * strides.at(dim)! },
        { tensor: gx, strides: stridesOf(gx.shape) },
      );
      return gx;
    };
    const ga = want[0] && part(want[0](), 0);
    const gb = want[1]?.();
    return [ga, gb && part(gb, gy.shape.at(dim)! - gb.shape.at(dim)!)];
  },
  reference: oracle.concat,
  flops: () => 0,
  cases: [
    {
      shapes: [
        [2, 3, 4],
        [2, 5, 4],
      ],
      attrs: { dim: 1 },
    },
    {
      shapes: [
        [2, 3],
        [1, 3],
      ],
      attrs: { dim: 0 },
    },
    {
      shapes: [
        [2, 3],
        [2, 4],
      ],
      attrs: { dim: -1 },
    },
  ],
});
