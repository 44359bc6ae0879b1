/** upsample_nearest: every pixel repeated scale x scale times. */
import { gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { reshaped, sizeOf, type Tensor } from '../memory/tensor.js';
import { upsampleNearest as oracle } from '../reference/pooling.js';
import { defineOp, ranked } from './define.js';
import { sumOver } from './reduce.js';

export const upsampleNearest = defineOp<{ scale: number }, readonly [Tensor]>({
  name: 'upsample_nearest',
  summary: 'x [N, C, H, W] -> y [N, C, H scale, W scale], each pixel repeated',
  inputs: ['x'],
  half: { x: 'f16' },
  shape([x], { scale }) {
    const [n, c, h, w] = ranked('upsample_nearest', 'x', x, 4);
    return [n!, c!, h! * scale, w! * scale];
  },
  forward(e, [x], { scale }, shape) {
    const y = e.empty(shape, x.dtype);
    const size = sizeOf(x.shape);
    const params = { size, width: x.shape[3]!, scale };
    const constants = elements({ X: x, Y: y });
    e.dispatch({ file: 'upsample_nearest', constants, tensors: [x, y], params, grid: gridFor(size, 64) });
    return { y };
  },
  /** gx sums each square of gy: seen as [N C H, scale, W, scale], over the second and the last dimension. */
  backward(e, _saved, gy, { scale }, [want]) {
    if (!want) return [];
    const gx = want();
    const [n, c, h, w] = gx.shape as [number, number, number, number];
    return [sumOver(e, reshaped(gy, [n * c * h, scale, w, scale]), { dims: [1, 3] }, 1, gx)];
  },
  reference: oracle,
  flops: () => 0,
  cases: [
    { shapes: [[2, 3, 5, 4]], attrs: { scale: 2 } },
    { shapes: [[1, 1, 1, 3]], attrs: { scale: 3 } },
  ],
  bench: [{ shapes: [[16, 64, 16, 16]], attrs: { scale: 2 } }],
});
