/** upsample_nearest: every pixel repeated scale x scale times. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { reshaped, type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import { upsampleNearest as oracle } from '../reference/pooling.js';
import { defineOp, isCount, ranked, shapeError } from './define.js';
import { sumOver } from './reduce.js';

/** Whether there is a kernel that works on pairs of pixels of x. */
const isTwice = (x: Shape, scale: number): boolean => scale === 2 && x[3]! % 2 === 0;

/** Runs one of the two kernels on pairs; the smaller of the two tensors is x or its gradient. */
function twice(e: Engine, file: string, tensors: readonly [Tensor, Tensor], constants: Record<string, string>): void {
  const small = file === 'upsample_twice' ? tensors[0] : tensors[1];
  const size = sizeOf(small.shape) / 2;
  e.dispatch({ file, constants, tensors, params: { size, pairs: small.shape[3]! / 2 }, grid: gridFor(size, 64) });
}

export const upsampleNearest = defineOp<{ scale: number }, readonly [Tensor]>({
  name: 'upsample_nearest',
  summary: 'x [N, C, H, W] -> y [N, C, H scale, W scale], each pixel repeated',
  inputs: ['x'],
  half: { x: 'f16' },
  shape([x], { scale }) {
    const [n, c, h, w] = ranked('upsample_nearest', 'x', x, 4);
    if (!isCount(scale, 1)) throw shapeError('upsample_nearest', `scale ${scale}`, 'must be a whole number above 0', x);
    return [n!, c!, h! * scale, w! * scale];
  },
  forward(e, [x], { scale }, shape) {
    const y = e.empty(shape, x.dtype);
    if (isTwice(x.shape, scale)) {
      twice(e, 'upsample_twice', [x, y], { ...elements({ X: x }), ...elements({ Y: y }, 4) });
      return { y };
    }
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
    if (isTwice(gx.shape, scale)) {
      twice(e, 'upsample_twice_gradient', [gy, gx], { ...elements({ GY: gy }, 4), ...elements({ GX: gx }) });
      return [gx];
    }
    return [sumOver(e, reshaped(gy, [n * c * h, scale, w, scale]), { dims: [1, 3] }, 1, gx)];
  },
  reference: oracle,
  flops: () => 0,
  cases: [
    { shapes: [[2, 3, 5, 4]], attrs: { scale: 2 } },
    { shapes: [[1, 1, 1, 3]], attrs: { scale: 3 } },
    { shapes: [[1, 2, 3, 5]], attrs: { scale: 2 } },
  ],
  bench: [{ shapes: [[16, 64, 16, 16]], attrs: { scale: 2 } }],
});
