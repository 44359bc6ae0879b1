/** embedding: rows of a table by index. */
import { gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import * as oracle from '../reference/shape.js';
import { type Case, defineOp, ranked, shapeError } from './define.js';

export const embedding = defineOp<object, readonly [Tensor, Tensor]>({
  name: 'embedding',
  summary: 'weight [K, D], indices i32 [...] -> y [..., D], the row of each index',
  inputs: ['weight', 'indices'],
  half: { weight: 'f32' },
  shape([weight, indices]) {
    const [, features] = ranked('embedding', 'weight', weight, 2);
    if (!indices) throw shapeError('embedding', 'indices', 'must be given', indices);
    return [...indices, features!];
  },
  forward(e, [weight, indices], _attrs, shape) {
    const y = e.empty(shape, weight.dtype);
    const [rows, features] = weight.shape;
    const size = sizeOf(shape);
    e.dispatch({
      file: 'embedding',
      constants: elements({ WEIGHT: weight, Y: y }),
      tensors: [weight, indices, y],
      params: { size, rows: rows!, features: features! },
      grid: gridFor(size, 64),
    });
    return { y };
  },
  saves: ['indices'],
  backward(e, { indices }, gy, _attrs, [want]) {
    if (!want) return [];
    const gw = want();
    const [rows, features] = gw.shape;
    const size = sizeOf(gw.shape);
    e.dispatch({
      file: 'embedding_gradient',
      constants: elements({ GY: gy, GW: gw }),
      tensors: [indices!, gy, gw],
      params: { size, rows: rows!, features: features!, indices: sizeOf(indices!.shape) },
      grid: gridFor(size, 64),
    });
    return [gw];
  },
  reference: oracle.embedding,
  flops: () => 0,
  cases: [lookUp(17, 6, [5]), lookUp(3, 7, [11]), lookUp(5, 3, [2, 3]), lookUp(1, 1, [1])],
  bench: [lookUp(17, 100, [32])],
});

function lookUp(rows: number, features: number, indices: readonly number[]): Case<object> {
  return { shapes: [[rows, features], indices], attrs: {}, fill: { indices: { below: rows } } };
}
