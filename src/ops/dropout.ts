/** dropout: its mask is drawn again in the backward pass, so nothing is kept but seed and stream. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { sizeOf, type Tensor, vectors } from '../memory/tensor.js';
import { dropout as oracle } from '../reference/elementwise.js';
import { dropoutMask } from '../reference/random.js';
import { defineOp } from './define.js';
import { type RandomAttrs, randomParams } from './random.js';

export interface DropoutAttrs extends RandomAttrs {
  /** Probability of dropping an element, in [0, 1). */
  readonly p: number;
  /** If false, y = x. */
  readonly training: boolean;
}

function masked(e: Engine, x: Tensor, attrs: DropoutAttrs, y: Tensor): Tensor {
  const p = attrs.training ? attrs.p : 0;
  e.dispatch({
    file: 'dropout',
    uses: ['lib/philox'],
    constants: elements({ X: x, Y: y }, 4),
    tensors: [x, y],
    params: { size: sizeOf(x.shape), ...randomParams(attrs), threshold: Math.ceil(p * 2 ** 24), scale: 1 / (1 - p) },
    grid: gridFor(vectors(x), 64),
  });
  return y;
}

const FIXED = { p: 0.3, seed: 7, stream: 2, training: true };

export const dropout = defineOp<DropoutAttrs, readonly [Tensor]>({
  name: 'dropout',
  summary: 'y = x / (1 - p), or 0 with probability p, as seed and stream decide',
  inputs: ['x'],
  half: { x: 'f16' },
  shape([x], { p }) {
    if (!(p >= 0 && p < 1)) throw new Error(`dropout: p must be at least 0 and below 1, but is ${p}`);
    return x!;
  },
  forward: (e, [x], attrs) => ({ y: masked(e, x, attrs, e.empty(x.shape, x.dtype)) }),
  backward: (e, _saved, gy, attrs, [want]) => [want && masked(e, gy, attrs, want())],
  reference([x], { training, ...attrs }) {
    return training ? oracle([x, dropoutMask(x!.shape, attrs)], attrs) : { y: x! };
  },
  flops: ([x]) => 50 * sizeOf(x!),
  cases: [
    { shapes: [[3, 5, 7]], attrs: FIXED },
    { shapes: [[1]], attrs: { ...FIXED, p: 0 } },
    { shapes: [[16, 33]], attrs: { ...FIXED, p: 0.875, seed: Number.MAX_SAFE_INTEGER } },
    { shapes: [[4, 5]], attrs: { ...FIXED, training: false } },
  ],
  bench: [{ shapes: [[32, 4096]], attrs: FIXED }],
});
