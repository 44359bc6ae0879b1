/** cast: the same values in another storage. The tape puts it where an op does not work on what a tensor is stored in. */
import type { Tensor } from '../memory/tensor.js';
import { defineOp } from './define.js';
import { affine } from './elementwise.js';

export interface CastAttrs {
  readonly dtype: 'f32' | 'f16';
}

export const cast = defineOp<CastAttrs, readonly [Tensor]>({
  name: 'cast',
  summary: 'x stored as dtype: f32, or f16 rounded to nearest',
  inputs: ['x'],
  half: { x: 'f16' },
  shape: ([x]) => x!,
  forward: (e, [x], { dtype }, shape) => ({ y: affine(e, x, 1, 0, e.empty(shape, dtype)) }),
  backward: (e, _saved, gy, _attrs, [want]) => [want && affine(e, gy, 1, 0, want())],
  reference: ([x]) => ({ y: x! }),
  flops: () => 0,
  cases: [[1], [3, 5, 7]].map((shape) => ({ shapes: [shape], attrs: { dtype: 'f32' } })),
});
