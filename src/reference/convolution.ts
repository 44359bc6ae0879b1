import { type Array64, checkSame, type Inputs, make, required } from './array.js';
import { type ActivationAttrs, activate } from './elementwise.js';

/** Pairs are [h, w]. */
export interface Conv2dAttrs extends ActivationAttrs {
  stride?: readonly number[];
  padding?: readonly number[];
  dilation?: readonly number[];
  groups?: number;
}

export interface ConvTranspose2dAttrs extends Conv2dAttrs {
  /** Rows and columns added at the bottom and right, to choose among the sizes that the stride rounds to one. */
  outputPadding?: readonly number[];
}

/** floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1; throws when the kernel does not fit. */
export function convOutputSize(size: number, kernel: number, stride: number, padding: number, dilation = 1): number {
  const result = Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  if (result < 1) throw new Error(`a kernel of ${kernel} does not fit in ${size} with padding ${padding}`);
  return result;
}

/**
 * Cross-correlation, as deep learning's convolution is.
 * [x [N, C, H, W], weight [O, C / groups, kh, kw], bias? [O]] -> y [N, O, OH, OW]:
 *
 *   y[n, o, i, j] = bias[o] + sum over c, ky, kx of
 *     x[n, group(o) C / groups + c, i sh - ph + ky dh, j sw - pw + kx dw] weight[o, c, ky, kx]
 *
 * with x = 0 outside, then the activation.
 */
export function conv2d(inputs: Inputs, attrs: Conv2dAttrs = {}): { y: Array64 } {
  const [x, weight] = required(inputs, 'x', 'weight');
  const bias = inputs[2];
  const { stride = [1, 1], padding = [0, 0], dilation = [1, 1], groups = 1 } = attrs;
  const [batch, inChannels, height, width] = x.shape;
  const [outChannels, channelsPerGroup, kernelH, kernelW] = weight.shape;
  checkSame('channels of x and of weight times groups', [inChannels], [channelsPerGroup * groups]);
  const outH = convOutputSize(height, kernelH, stride[0], padding[0], dilation[0]);
  const outW = convOutputSize(width, kernelW, stride[1], padding[1], dilation[1]);
  const y = make([batch, outChannels, outH, outW]);

  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outChannels; o++) {
      const firstChannel = Math.floor(o / (outChannels / groups)) * channelsPerGroup;
      for (let i = 0; i < outH; i++) {
        for (let j = 0; j < outW; j++) {
          let sum = bias ? bias.data[o] : 0;
          for (let c = 0; c < channelsPerGroup; c++) {
            for (let ky = 0; ky < kernelH; ky++) {
              const row = i * stride[0] - padding[0] + ky * dilation[0];
              if (row < 0 || row >= height) continue;
              for (let kx = 0; kx < kernelW; kx++) {
                const column = j * stride[1] - padding[1] + kx * dilation[1];
                if (column < 0 || column >= width) continue;
                sum +=
                  x.data[((n * inChannels + firstChannel + c) * height + row) * width + column] *
                  weight.data[((o * channelsPerGroup + c) * kernelH + ky) * kernelW + kx];
              }
            }
          }
          y.data[((n * outChannels + o) * outH + i) * outW + j] = sum;
        }
      }
    }
  }
  return { y: activate(y, attrs) };
}

/**
 * The adjoint of conv2d in x: every input element adds itself times the kernel to the output.
 * [x [N, C, H, W], weight [C, O / groups, kh, kw], bias? [O]] -> y [N, O, OH, OW] with
 * OH = (H - 1) sh - 2 ph + dh (kh - 1) + outputPadding + 1:
 *
 *   y[n, o, i sh - ph + ky dh, j sw - pw + kx dw] += x[n, c, i, j] weight[c, o, ky, kx]
 *
 * starting from bias[o]; what falls outside is dropped; then the activation.
 */
export function convTranspose2d(inputs: Inputs, attrs: ConvTranspose2dAttrs = {}): { y: Array64 } {
  const [x, weight] = required(inputs, 'x', 'weight');
  const bias = inputs[2];
  const { stride = [1, 1], padding = [0, 0], outputPadding = [0, 0], dilation = [1, 1], groups = 1 } = attrs;
  const [batch, inChannels, height, width] = x.shape;
  const [weightChannels, outPerGroup, kernelH, kernelW] = weight.shape;
  checkSame('channels of x and of weight', [inChannels], [weightChannels]);
  const outChannels = outPerGroup * groups;
  const outH = (height - 1) * stride[0] - 2 * padding[0] + dilation[0] * (kernelH - 1) + outputPadding[0] + 1;
  const outW = (width - 1) * stride[1] - 2 * padding[1] + dilation[1] * (kernelW - 1) + outputPadding[1] + 1;
  const y = make([batch, outChannels, outH, outW]);
  if (bias) {
    for (let flat = 0; flat < y.data.length; flat++) {
      y.data[flat] = bias.data[Math.floor(flat / (outH * outW)) % outChannels];
    }
  }

  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < inChannels; c++) {
      const firstOut = Math.floor(c / (inChannels / groups)) * outPerGroup;
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const value = x.data[((n * inChannels + c) * height + i) * width + j];
          for (let o = 0; o < outPerGroup; o++) {
            for (let ky = 0; ky < kernelH; ky++) {
              const row = i * stride[0] - padding[0] + ky * dilation[0];
              if (row < 0 || row >= outH) continue;
              for (let kx = 0; kx < kernelW; kx++) {
                const column = j * stride[1] - padding[1] + kx * dilation[1];
                if (column < 0 || column >= outW) continue;
                y.data[((n * outChannels + firstOut + o) * outH + row) * outW + column] +=
                  value * weight.data[((c * outPerGroup + o) * kernelH + ky) * kernelW + kx];
              }
            }
          }
        }
      }
    }
  }
  return { y: activate(y, attrs) };
}
