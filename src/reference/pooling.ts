import { type Array64, type Inputs, make, required } from './array.js';
import { conv2d, convOutputSize } from './convolution.js';

/** Pairs are [h, w]. */
export interface Pool2dAttrs {
  kernel: readonly number[];
  /** The kernel's size when not given. */
  stride?: readonly number[];
  padding?: readonly number[];
}

/** Folds each window of x [N, C, H, W], padding left out, and finishes it with the kernel's area. */
function pool2d(
  x: Array64,
  { kernel, stride = kernel, padding = [0, 0] }: Pool2dAttrs,
  initial: number,
  combine: (total: number, value: number) => number,
  finish: (total: number, area: number) => number,
): Array64 {
  const [batch, channels, height, width] = x.shape;
  const outH = convOutputSize(height, kernel[0], stride[0], padding[0]);
  const outW = convOutputSize(width, kernel[1], stride[1], padding[1]);
  const y = make([batch, channels, outH, outW]);
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let i = 0; i < outH; i++) {
      for (let j = 0; j < outW; j++) {
        let total = initial;
        for (let ky = 0; ky < kernel[0]; ky++) {
          const row = i * stride[0] - padding[0] + ky;
          if (row < 0 || row >= height) continue;
          for (let kx = 0; kx < kernel[1]; kx++) {
            const column = j * stride[1] - padding[1] + kx;
            if (column < 0 || column >= width) continue;
            total = combine(total, x.data[(plane * height + row) * width + column]);
          }
        }
        y.data[(plane * outH + i) * outW + j] = finish(total, kernel[0] * kernel[1]);
      }
    }
  }
  return y;
}

/** [x [N, C, H, W]] -> y [N, C, OH, OW]: the largest value of each window; padding never wins. */
export function maxPool2d(inputs: Inputs, attrs: Pool2dAttrs): { y: Array64 } {
  const [x] = required(inputs, 'x');
  return { y: pool2d(x, attrs, Number.NEGATIVE_INFINITY, Math.max, (total) => total) };
}

/** [x [N, C, H, W]] -> y [N, C, OH, OW]: the mean of each window; padding counts as zeros (count_include_pad). */
export function avgPool2d(inputs: Inputs, attrs: Pool2dAttrs): { y: Array64 } {
  const [x] = required(inputs, 'x');
  const add = (total: number, value: number) => total + value;
  return { y: pool2d(x, attrs, 0, add, (total, area) => total / area) };
}

export interface AdaptiveAvgPool2dAttrs {
  /** [h, w] of y. */
  outputSize: readonly number[];
}

/**
 * [x [N, C, H, W]] -> y [N, C, OH, OW]: y[i, j] is the mean of rows floor(i H / OH) to ceil((i + 1) H / OH), end
 * excluded, and likewise of columns. Neighbouring windows overlap where the sizes do not divide.
 */
export function adaptiveAvgPool2d(inputs: Inputs, { outputSize }: AdaptiveAvgPool2dAttrs): { y: Array64 } {
  const [x] = required(inputs, 'x');
  const [batch, channels, height, width] = x.shape;
  const [outH, outW] = outputSize;
  const y = make([batch, channels, outH, outW]);
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let i = 0; i < outH; i++) {
      const top = Math.floor((i * height) / outH);
      const bottom = Math.ceil(((i + 1) * height) / outH);
      for (let j = 0; j < outW; j++) {
        const left = Math.floor((j * width) / outW);
        const right = Math.ceil(((j + 1) * width) / outW);
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) sum += x.data[(plane * height + row) * width + column];
        }
        y.data[(plane * outH + i) * outW + j] = sum / ((bottom - top) * (right - left));
      }
    }
  }
  return { y };
}

export interface UpsampleNearestAttrs {
  /** Whole factor of both height and width. */
  scale: number;
}

/** [x [N, C, H, W]] -> y [N, C, H scale, W scale]: y[i, j] = x[floor(i / scale), floor(j / scale)]. */
export function upsampleNearest(inputs: Inputs, { scale }: UpsampleNearestAttrs): { y: Array64 } {
  const [x] = required(inputs, 'x');
  const [batch, channels, height, width] = x.shape;
  const [outH, outW] = [height * scale, width * scale];
  const y = make([batch, channels, outH, outW]);
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let i = 0; i < outH; i++) {
      for (let j = 0; j < outW; j++) {
        y.data[(plane * outH + i) * outW + j] =
          x.data[(plane * height + Math.floor(i / scale)) * width + Math.floor(j / scale)];
      }
    }
  }
  return { y };
}

/** [x [N, C, H, W], weight [O, C, K, K], bias? [O]] -> y [N, O, 2 H, 2 W]: pixels repeated 2 x 2 times, then conv2d. */
export function upsampleConv2d(inputs: Inputs): { y: Array64 } {
  const [x, weight] = required(inputs, 'x', 'weight');
  const padding = (weight.shape[2] - 1) / 2;
  return conv2d([upsampleNearest([x], { scale: 2 }).y, weight, inputs[2]], { padding: [padding, padding] });
}
