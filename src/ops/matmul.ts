/** matmul, batched and with transposes, and linear: one kernel with strides. */
import type { Engine } from '../kernel/engine.js';
import { formatShape, reshaped, type Shape, sameShape, sizeOf, type Tensor } from '../memory/tensor.js';
import * as oracle from '../reference/matmul.js';
import type { ActivationAttrs } from './activation.js';
import { type Case, defineOp, ranked, shapeError } from './define.js';
import { epilogueGradient } from './epilogue.js';
import { type Epilogue, gemmWork } from './gemm.js';
import { packedProduct } from './packedConv2d.js';

export interface MatmulAttrs {
  /** a is [..., K, M] instead of [..., M, K]. */
  readonly transposeA?: boolean;
  /** b is [..., N, K] instead of [..., K, N]. */
  readonly transposeB?: boolean;
}

const last = (shape: Shape): [number, number] => [shape.at(-2)!, shape.at(-1)!];

/** c = A B for every entry of the batch, into `c` [..., M, N]. */
export function product(e: Engine, a: Tensor, b: Tensor, attrs: MatmulAttrs, c: Tensor, end: Epilogue = {}): Tensor {
  const [m, n] = last(c.shape);
  const inner = last(a.shape)[attrs.transposeA ? 0 : 1];
  const items = sizeOf(c.shape.slice(0, -2));
  // Packed, the product is a convolution, whose bias belongs to rows.
  const isPackable = items === 1 && !end.bias;
  const operand = (shape: Shape, transposed = false): string => formatShape(shape) + (transposed ? ' transposed' : '');
  e.perform(
    gemmWork({
      file: 'matmul',
      name: `matmul ${operand(a.shape, attrs.transposeA)} ${operand(b.shape, attrs.transposeB)}${end.bias ? ' with bias' : ''}`,
      shape: {
        rows: m,
        columns: n,
        items,
        terms: inner,
        sumContiguous: attrs.transposeB === true,
      },
      packed: isPackable
        ? packedProduct([m, inner, n], attrs.transposeA === true, attrs.transposeB === true)
        : undefined,
      operands: [a, b],
      output: c,
      params: {
        inner,
        batch_a: m * inner,
        row_a: attrs.transposeA ? 1 : inner,
        inner_a: attrs.transposeA ? m : 1,
        batch_b: n * inner,
        inner_b: attrs.transposeB ? 1 : n,
        column_b: attrs.transposeB ? inner : 1,
      },
      epilogue: end,
    }),
  );
  return c;
}

export const matmul = defineOp<MatmulAttrs, readonly [Tensor, Tensor]>({
  name: 'matmul',
  summary: 'a [..., M, K], b [..., K, N] -> y [..., M, N], each transposed on request',
  inputs: ['a', 'b'],
  half: { a: 'f16', b: 'f16' },
  shape([a, b], { transposeA, transposeB }) {
    if (!a || !b || a.length < 2 || !sameShape(a.slice(0, -2), b.slice(0, -2))) {
      throw shapeError('matmul', 'a and b', 'must be matrices with the same batch dimensions', a, b);
    }
    const [m, ka] = transposeA ? last(a).reverse() : last(a);
    const [kb, n] = transposeB ? last(b).reverse() : last(b);
    if (ka !== kb) throw shapeError('matmul', 'a and b', `cannot be multiplied: ${ka} columns meet ${kb} rows`, a, b);
    return [...a.slice(0, -2), m!, n!];
  },
  forward: (e, [a, b], attrs, shape) => ({ y: product(e, a, b, attrs, e.empty(shape, a.dtype)) }),
  saves: ['a', 'b'],
  // With A = op(a), B = op(b): dA = G B^T and dB = A^T G; a transposed operand wants the transpose of that.
  backward(e, { a, b }, gy, { transposeA = false, transposeB = false }, want) {
    const ga = want[0]?.();
    const gb = want[1]?.();
    if (ga && transposeA) product(e, b!, gy, { transposeA: transposeB, transposeB: true }, ga);
    else if (ga) product(e, gy, b!, { transposeB: !transposeB }, ga);
    if (gb && transposeB) product(e, gy, a!, { transposeA: true, transposeB: transposeA }, gb);
    else if (gb) product(e, a!, gy, { transposeA: !transposeA }, gb);
    return [ga, gb];
  },
  reference: oracle.matmul,
  flops: ([a], attrs, shape) => 2 * sizeOf(shape) * last(a!)[attrs.transposeA ? 0 : 1],
  cases: [
    {
      shapes: [
        [1, 16, 16],
        [1, 16, 16],
      ],
      attrs: {},
    },
    {
      shapes: [
        [3, 5, 9],
        [3, 9, 33],
      ],
      attrs: {},
    },
    {
      shapes: [
        [2, 9, 5],
        [2, 9, 7],
      ],
      attrs: { transposeA: true },
    },
    {
      shapes: [
        [2, 2, 5, 9],
        [2, 2, 7, 9],
      ],
      attrs: { transposeB: true },
    },
    {
      shapes: [
        [9, 37],
        [35, 9],
      ],
      attrs: { transposeA: true, transposeB: true },
    },
    {
      shapes: [
        [2, 1030],
        [1030, 3],
      ],
      attrs: {},
    },
    {
      shapes: [
        [1, 1],
        [1, 1],
      ],
      attrs: {},
    },
  ],
  bench: [
    {
      shapes: [
        [512, 512],
        [512, 512],
      ],
      attrs: {},
    },
  ],
  tolerance: { forward: 2e-5, gradient: 1e-3 },
});

/** x [..., I] as a matrix [rows, I]. */
const rowsOf = (x: Tensor): Tensor => reshaped(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);

export const linear = defineOp<ActivationAttrs, readonly [Tensor, Tensor, Tensor?]>({
  name: 'linear',
  summary: 'x [..., I], weight [O, I], bias [O] -> y [..., O]',
  inputs: ['x', 'weight', 'bias?'],
  half: { x: 'f16', weight: 'f32' },
  shape([x, weight, bias]) {
    const [o, i] = ranked('linear', 'weight', weight, 2);
    if (x?.at(-1) !== i) throw shapeError('linear', 'x', 'must have rows as long as those of weight', x, weight);
    if (bias && sizeOf(bias) !== o) throw shapeError('linear', 'bias', `must have ${o} elements`, bias);
    return [...x!.slice(0, -1), o!];
  },
  forward(e, [x, weight, bias], attrs, shape) {
    const y = e.empty(shape, x.dtype);
    product(e, rowsOf(x), weight, { transposeB: true }, rowsOf(y), { ...attrs, bias });
    return { y };
  },
  saves: ['x', 'weight', 'y'],
  backward(e, { x, weight, y }, gy, attrs, want, spare) {
    const { gz, gbias } = epilogueGradient(e, rowsOf(y!), rowsOf(gy), attrs, want[2], spare);
    const gx = want[0]?.();
    if (gx) product(e, gz, weight!, {}, rowsOf(gx));
    return [gx, want[1] && product(e, gz, rowsOf(x!), { transposeA: true }, want[1]()), gbias];
  },
  reference: oracle.linear,
  flops: ([, weight], _attrs, shape) => 2 * sizeOf(shape) * weight![1]!,
  cases: [
    lin([5, 7], 3),
    lin([33, 130], 17, { activation: 'relu' }),
    {
      shapes: [
        [4, 6],
        [5, 6],
      ],
      attrs: {},
    },
    lin([2, 2049], 1),
    lin([1, 1], 1),
    lin([2, 3, 5], 4, { activation: 'relu' }),
    lin([7], 3),
  ],
  bench: [lin([32, 2048], 17), lin([16, 100], 1024)],
  tolerance: { forward: 2e-5, gradient: 1e-3 },
});

function lin(x: Shape, outputs: number, attrs: ActivationAttrs = {}): Case<ActivationAttrs> {
  return { shapes: [x, [outputs, x.at(-1)!], [outputs]], attrs };
}
