/** add, sub, mul and div with broadcasting, and the plain dispatches that other ops are made of. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Shape, sameShape, sizeOf, type Tensor, vectors } from '../memory/tensor.js';
import * as oracle from '../reference/elementwise.js';
import { type ActivationAttrs, activationCode, beforeActivation, slopeOf } from './activation.js';
import { type Case, defineOp, type Fill, type Op, shapeError } from './define.js';
import { broadcastStrides, collapse, numbered } from './strided.js';

const BINARY = { add: 0, sub: 1, mul: 2, div: 3, negativeQuotient: 4 } as const;

/** Loops of the kernel that broadcasts. */
const LOOPS = 4;

const walkOf = (shape: Shape, a: Shape, b: Shape, limit = LOOPS) =>
  collapse(shape, [broadcastStrides(a, shape), broadcastStrides(b, shape)], limit);

/** The shape that both broadcast to, by NumPy's rules. */
export function broadcastShape(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const shape = Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw shapeError(op, 'a and b', 'cannot be broadcast together', a, b);
    return Math.max(m, n);
  });
  if (walkOf(shape, a, b, Number.POSITIVE_INFINITY).shape.length > LOOPS) {
    const what = `can be broadcast along at most ${LOOPS} groups of neighbouring dimensions`;
    throw shapeError(op, 'a and b', what, a, b);
  }
  return shape;
}

const COMMUTATIVE: ReadonlySet<string> = new Set(['add', 'mul']);

/** Whether the first operand is [rows, width], with whole vec4s in a row, and the second has one value for each row. */
const isRowwise = ({ shape, strides: [a, b] }: ReturnType<typeof collapse>): boolean =>
  shape.length === 2 && shape[1]! % 4 === 0 && a![0] === shape[1] && a![1] === 1 && b![0] === 1 && b![1] === 0;

/** activation(f(a, b)) with broadcasting; in f16 if both are. */
export function binary(e: Engine, op: keyof typeof BINARY, a: Tensor, b: Tensor, attrs: ActivationAttrs = {}): Tensor {
  const out = e.empty(broadcastShape(op, a.shape, b.shape), a.dtype === b.dtype ? a.dtype : 'f32');
  const operands = { A: a, B: b, Y: out };
  const constants = { OP: BINARY[op], ACTIVATION: activationCode(attrs) };
  const slope = slopeOf(attrs);
  const count = vectors(out);
  if (sameShape(a.shape, b.shape)) {
    e.dispatch({
      file: 'binary',
      uses: ['lib/activation', 'lib/binary'],
      constants: { ...elements(operands, 4), ...constants },
      tensors: [a, b, out],
      params: { vectors: count, slope },
      grid: gridFor(count, 64),
    });
    return out;
  }
  const walk = walkOf(out.shape, a.shape, b.shape);
  const width = walk.shape.at(-1)!;
  const turned = { ...walk, strides: walk.strides.toReversed() };
  const isTurned = COMMUTATIVE.has(op) && isRowwise(turned);
  if (isTurned || isRowwise(walk)) {
    const [wide, narrow] = isTurned ? [b, a] : [a, b];
    e.dispatch({
      file: 'binary_rows',
      uses: ['lib/activation', 'lib/binary'],
      constants: { ...elements({ A: wide, Y: out }, 4), ...elements({ B: narrow }), ...constants },
      tensors: [wide, narrow, out],
      params: { vectors: count, row_vectors: width / 4, slope },
      grid: gridFor(count, 64),
    });
    return out;
  }
  const size = sizeOf(out.shape);
  e.dispatch({
    file: 'binary_broadcast',
    uses: ['lib/activation', 'lib/binary'],
    constants: { ...elements(operands), ...constants, RANK: walk.shape.length },
    tensors: [a, b, out],
    params: {
      size,
      slope,
      ...numbered('extent', walk.shape, 1, LOOPS),
      ...numbered('a', walk.strides[0]!, 0, LOOPS),
      ...numbered('b', walk.strides[1]!, 0, LOOPS),
    },
    grid: gridFor(size, 64),
  });
  return out;
}

/** y = scale x + shift, into `y`, of whichever type, or a new tensor. */
export function affine(e: Engine, x: Tensor, scale: number, shift = 0, y = e.empty(x.shape, x.dtype)): Tensor {
  const params = { size: sizeOf(x.shape), scale, shift };
  const constants = elements({ X: x, Y: y }, 4);
  e.dispatch({ file: 'affine', constants, tensors: [x, y], params, grid: gridFor(vectors(x), 64) });
  return y;
}

/** y += x. */
export function accumulate(e: Engine, x: Tensor, y: Tensor): void {
  const params = { size: sizeOf(x.shape) };
  const constants = elements({ X: x, Y: y }, 4);
  e.dispatch({ file: 'accumulate', constants, tensors: [x, y], params, grid: gridFor(vectors(x), 64) });
}

/** Sets every element. */
export function fill(e: Engine, y: Tensor, value: number): Tensor {
  const params = { vectors: vectors(y), value };
  const constants = elements({ Y: y }, 4);
  e.dispatch({ file: 'fill', constants, tensors: [y], params, grid: gridFor(params.vectors, 64) });
  return y;
}

type BinaryOp = Op<object, readonly [Tensor, Tensor]>;
type BinaryBackward = NonNullable<BinaryOp['backward']>;

const SHAPES: readonly (readonly [Shape, Shape])[] = [
  [
    [2, 3, 4, 5],
    [2, 3, 4, 5],
  ],
  [[7], [7]],
  [
    [2, 3, 5, 7],
    [3, 1, 1],
  ],
  [
    [2, 3, 5, 7],
    [2, 3, 1, 1],
  ],
  [
    [2, 3, 5, 7],
    [2, 1, 5, 7],
  ],
  [
    [4, 1, 6],
    [2, 1, 5, 1],
  ],
  [
    [2, 3, 4, 5],
    [2, 3, 1, 1],
  ],
  [
    [6, 1],
    [6, 8],
  ],
  [[1], [3, 2]],
];

const BENCH: readonly Case<object>[] = [
  {
    shapes: [
      [16, 64, 32, 32],
      [16, 64, 32, 32],
    ],
    attrs: {},
  },
  {
    shapes: [
      [16, 64, 32, 32],
      [16, 64, 1, 1],
    ],
    attrs: {},
  },
];

function binaryOp(
  name: 'sub' | 'mul' | 'div',
  symbol: string,
  reference: BinaryOp['reference'],
  saves: readonly string[],
  backward: BinaryBackward,
  fill?: Readonly<Record<string, Fill>>,
): BinaryOp {
  return defineOp<object, readonly [Tensor, Tensor]>({
    name,
    summary: `y = a ${symbol} b, elementwise with broadcasting`,
    inputs: ['a', 'b'],
    half: { a: 'f16', b: 'f16' },
    shape: ([a, b]) => broadcastShape(name, a!, b!),
    forward: (e, [a, b]) => ({ y: binary(e, name, a, b) }),
    saves,
    backward,
    reference,
    flops: (_inputs, _attrs, shape) => sizeOf(shape),
    cases: SHAPES.map(([a, b]) => ({ shapes: [a, b], attrs: {}, ...(fill && { fill }) })),
    bench: BENCH,
  });
}

/** A residual block ends with the sum's activation, hence the attribute. */
export const add = defineOp<ActivationAttrs, readonly [Tensor, Tensor]>({
  name: 'add',
  summary: 'y = activation(a + b), elementwise with broadcasting',
  inputs: ['a', 'b'],
  half: { a: 'f16', b: 'f16' },
  shape: ([a, b]) => broadcastShape('add', a!, b!),
  forward: (e, [a, b], attrs) => ({ y: binary(e, 'add', a, b, attrs) }),
  saves: ['y'],
  backward(e, { y }, gy, attrs, want, spare) {
    const gz = beforeActivation(e, y!, gy, attrs, spare);
    return [want[0] && gz, want[1] && gz];
  },
  reference: (inputs, attrs) => ({ y: oracle.activate(oracle.add(inputs).y, attrs) }),
  flops: (_inputs, _attrs, shape) => sizeOf(shape),
  cases: [
    ...SHAPES.map(([a, b]) => ({ shapes: [a, b], attrs: {} })),
    ...SHAPES.slice(0, 3).map(([a, b]) => ({
      shapes: [a, b],
      attrs: { activation: 'leaky_relu' as const, slope: 0.2 },
    })),
  ],
  bench: BENCH,
});

export const sub = binaryOp('sub', '-', oracle.sub, [], (e, _saved, gy, _attrs, want) => [
  want[0] && gy,
  want[1] && affine(e, gy, -1),
]);

export const mul = binaryOp('mul', '*', oracle.mul, ['a', 'b'], (e, { a, b }, gy, _attrs, want) => [
  want[0] && binary(e, 'mul', gy, b!),
  want[1] && binary(e, 'mul', gy, a!),
]);

// d(a / b)/db = -a / b^2 = -y / b
export const div = binaryOp(
  'div',
  '/',
  oracle.div,
  ['b', 'y'],
  (e, { b, y }, gy, _attrs, want) => [
    want[0] && binary(e, 'div', gy, b!),
    want[1] && binary(e, 'negativeQuotient', binary(e, 'mul', gy, y!), b!),
  ],
  { b: 'nonzero' },
);
