/** embedding: rows of a table by index, and on request times a factor each, as a conditioned noise vector is. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { sameShape, sizeOf, type Tensor } from '../memory/tensor.js';
import { mul } from '../reference/elementwise.js';
import * as oracle from '../reference/shape.js';
import { type Case, defineOp, ranked, shapeError } from './define.js';

/** y = the rows of the indices, times `factor`. */
function lookUp(e: Engine, weight: Tensor, indices: Tensor, factor: Tensor | undefined, y: Tensor): Tensor {
  const [rows, features] = weight.shape;
  const size = sizeOf(y.shape);
  e.dispatch({
    file: 'embedding',
    constants: { ...elements({ WEIGHT: weight, FACTOR: factor ?? weight, Y: y }), PRODUCT: factor !== undefined },
    tensors: [weight, indices, factor ?? weight, y],
    params: { size, rows: rows!, features: features! },
    grid: gridFor(size, 64),
  });
  return y;
}

export const embedding = defineOp<object, readonly [Tensor, Tensor, Tensor?]>({
  name: 'embedding',
  summary:
    'weight [K, D], indices i32 [...] from 0 to K - 1, factor [..., D] -> y [..., D], the row of each index, times the factor',
  inputs: ['weight', 'indices', 'factor?'],
  half: { weight: 'f32' },
  shape([weight, indices, factor]) {
    const [, features] = ranked('embedding', 'weight', weight, 2);
    if (!indices) throw shapeError('embedding', 'indices', 'must be given', indices);
    const shape = [...indices, features!];
    if (factor && !sameShape(factor, shape)) throw shapeError('embedding', 'factor', 'must be like y', factor, shape);
    return shape;
  },
  forward: (e, [weight, indices, factor], _attrs, shape) => ({
    y: lookUp(e, weight, indices, factor, e.empty(shape, weight.dtype)),
  }),
  saves: ['weight', 'indices', 'factor'],
  backward(e, { weight, indices, factor }, gy, _attrs, [want, , wantFactor]) {
    // The same product, with gy in the factor's place.
    const gfactor = wantFactor && lookUp(e, weight!, indices!, gy, wantFactor());
    if (!want) return [undefined, undefined, gfactor];
    const gw = want();
    const [rows, features] = gw.shape;
    const size = sizeOf(gw.shape);
    e.dispatch({
      file: 'embedding_gradient',
      constants: { ...elements({ GY: gy, FACTOR: factor ?? gy, GW: gw }), PRODUCT: factor !== undefined },
      tensors: [indices!, gy, factor ?? gy, gw],
      params: { size, rows: rows!, features: features!, indices: sizeOf(indices!.shape) },
      grid: gridFor(size, 64),
    });
    return [gw, undefined, gfactor];
  },
  reference([weight, indices, factor]) {
    const rows = oracle.embedding([weight, indices]).y;
    return factor ? mul([rows, factor]) : { y: rows };
  },
  flops: () => 0,
  cases: [
    table(17, 6, [5]),
    table(3, 7, [11], true),
    table(5, 3, [2, 3], true),
    table(5, 3, [2, 3]),
    table(1, 1, [1], true),
  ],
  bench: [table(17, 100, [32], true)],
});

function table(rows: number, features: number, indices: readonly number[], product = false): Case<object> {
  const factor = product ? [...indices, features] : undefined;
  return { shapes: [[rows, features], indices, factor], attrs: {}, fill: { indices: { below: rows } } };
}
