/**
 * upsample_conv2d: an image doubled by repeating pixels, then convolved, at once.
 *
 * Where neighbouring weights meet copies of one pixel of x, they may be summed first: doubling and convolving by 3 x 3 is a
 * transposed convolution of stride 2 by 4 x 4, each of whose values is a sum of up to four weights
 * (`spread_weight.wgsl`). That leaves 4 multiplications a pixel in place of 9, in all three passes, and the doubled
 * image, which the weight's gradient would need, is never made. A kernel of 1 x 1 is applied before the doubling.
 */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import { upsampleConv2d as oracle } from '../reference/pooling.js';
import { conv2d, convTranspose2d } from './conv2d.js';
import { defineOp, ranked, shapeError } from './define.js';
import { upsampleNearest } from './upsample.js';

const TWICE = { scale: 2 } as const;

/** The transposed convolution that doubles and convolves by 3 x 3. */
const TRANSPOSED = { stride: [2, 2], padding: [1, 1] } as const;

/** Its weight [C, O, 4, 4] from [O, C, 3, 3]. */
function spread(e: Engine, weight: Tensor): Tensor {
  const [outputs, inputs] = weight.shape as [number, number];
  const pairs = inputs * outputs;
  const kernel = e.empty([inputs, outputs, 4, 4], weight.dtype);
  e.dispatch({
    file: 'spread_weight',
    constants: { ...elements({ X: weight }), ...elements({ Y: kernel }, 4) },
    tensors: [weight, kernel],
    params: { pairs, inputs, outputs },
    grid: gridFor(pairs, 64),
  });
  return kernel;
}

/** The gradient of [O, C, 3, 3] from that of [C, O, 4, 4]. */
function gather(e: Engine, gkernel: Tensor, gweight: Tensor): Tensor {
  const [outputs, inputs] = gweight.shape as [number, number];
  const pairs = inputs * outputs;
  e.dispatch({
    file: 'spread_weight_gradient',
    constants: { ...elements({ GY: gkernel }, 4), ...elements({ GX: gweight }) },
    tensors: [gkernel, gweight],
    params: { pairs, inputs, outputs },
    grid: gridFor(pairs, 64),
  });
  return gweight;
}

export const upsampleConv2d = defineOp<object, readonly [Tensor, Tensor, Tensor?]>({
  name: 'upsample_conv2d',
  summary: 'x [N, C, H, W], weight [O, C, K, K] with K 1 or 3, bias [O] -> y [N, O, 2 H, 2 W]',
  inputs: ['x', 'weight', 'bias?'],
  half: { x: 'f16', weight: 'f32' },
  shape([x, weight, bias]) {
    const [n, c, h, w] = ranked('upsample_conv2d', 'x', x, 4);
    const [o, channels, side, width] = ranked('upsample_conv2d', 'weight', weight, 4);
    if (side !== width || (side !== 1 && side !== 3))
      throw shapeError('upsample_conv2d', 'weight', 'must be of 1 x 1 or 3 x 3', weight);
    if (channels !== c) throw shapeError('upsample_conv2d', 'weight', `does not fit the ${c} channels of x`, x, weight);
    if (bias && sizeOf(bias) !== o) throw shapeError('upsample_conv2d', 'bias', `must have ${o} elements`, bias);
    return [n!, o!, 2 * h!, 2 * w!];
  },
  forward(e, [x, weight, bias], _attrs, shape) {
    if (weight.shape[2] === 1) {
      const small = [shape[0]!, shape[1]!, x.shape[2]!, x.shape[3]!];
      const { y } = conv2d.forward(e, [x, weight, bias], {}, small);
      return upsampleNearest.forward(e, [y], TWICE, shape);
    }
    const kernel = spread(e, weight);
    return { ...convTranspose2d.forward(e, [x, kernel, bias], TRANSPOSED, shape), kernel };
  },
  saves: ['x', 'weight', 'kernel'],
  backward(e, { x, weight, kernel }, gy, _attrs, [wantX, wantWeight, wantBias]) {
    // Without an activation nothing asks what the result was.
    if (!kernel) {
      const small = e.empty([gy.shape[0]!, gy.shape[1]!, x!.shape[2]!, x!.shape[3]!], gy.dtype);
      upsampleNearest.backward!(e, {}, gy, TWICE, [() => small]);
      return conv2d.backward!(e, { x: x!, weight: weight!, y: small }, small, {}, [wantX, wantWeight, wantBias]);
    }
    const wantKernel = wantWeight && (() => e.empty(kernel.shape));
    const wants = [wantX, wantKernel, wantBias];
    const saved = { x: x!, weight: kernel, y: gy };
    const [gx, gkernel, gbias] = convTranspose2d.backward!(e, saved, gy, TRANSPOSED, wants);
    return [gx, gkernel && wantWeight && gather(e, gkernel, wantWeight()), gbias];
  },
  reference: oracle,
  flops([x, weight]) {
    const [o, , side] = weight as Shape;
    return 2 * sizeOf(x!) * o! * (side === 1 ? 1 : 16);
  },
  cases: [
    { shapes: [[2, 3, 5, 4], [4, 3, 3, 3], [4]], attrs: {} },
    { shapes: [[1, 5, 1, 3], [2, 5, 3, 3], [2]], attrs: {} },
    { shapes: [[3, 2, 4, 7], [3, 2, 1, 1], [3]], attrs: {} },
    {
      shapes: [
        [1, 33, 6, 8],
        [7, 33, 3, 3],
      ],
      attrs: {},
    },
  ],
  bench: [{ shapes: [[16, 64, 8, 8], [32, 64, 3, 3], [32]], attrs: {} }],
  tolerance: { forward: 2e-5, gradient: 1e-3 },
});
