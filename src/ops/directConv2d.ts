/**
 * The passes of conv2d by direct kernels, for few channels: conv2d_direct.wgsl and conv2d_direct_weight_gradient.wgsl. They
 * are made for stride and dilation 1.
 */

import {
  type DirectPlan,
  type DirectShape,
  directCandidates,
  directIsBetter,
  directWeightGradientCandidates,
} from '../kernel/choose/direct.js';
import type { Capabilities } from '../kernel/choose.js';
import { type Engine, gridFor, type Work } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { activationCode, slopeOf } from './activation.js';
import type { Geometry } from './convolution.js';
import type { Epilogue } from './gemm.js';
import { sumOver } from './reduce.js';

/** A pass by direct kernels: what a work needs, and whether they are better than a product by rule. */
export interface DirectForm extends Pick<Work<DirectPlan>, 'candidates' | 'run'> {
  isBetter(device: Capabilities): boolean;
}

/** y from x and weight. Undefined where there is no such kernel. */
export function directForward(g: Geometry, end: Epilogue): DirectForm | undefined {
  return isPlain(g) ? convolution(g, false, end) : undefined;
}

/** gx from gy and weight: a convolution of gy with the kernel turned round. Undefined where there is no such kernel. */
export function directInputGradient(g: Geometry, end: Epilogue): DirectForm | undefined {
  const padding = [g.kernel[0] - 1 - g.padding[0], g.kernel[1] - 1 - g.padding[1]] as const;
  if (!isPlain(g) || padding[0] < 0 || padding[1] < 0) return undefined;
  const turned = {
    ...g,
    channels: g.outChannels,
    height: g.outHeight,
    width: g.outWidth,
    outChannels: g.channels,
    outHeight: g.height,
    outWidth: g.width,
    padding,
  };
  return convolution(turned, true, end);
}

const isPlain = ({ stride, dilation }: Geometry): boolean => [...stride, ...dilation].every((n) => n === 1);

const shapeOf = (g: Geometry, aligned: boolean): DirectShape => ({
  rows: g.outChannels / g.groups,
  channels: g.channels / g.groups,
  groups: g.groups,
  images: g.images,
  width: g.outWidth,
  aligned,
  kernel: g.kernel,
  left: g.padding[1],
});

/** y [N, O, OH, OW] from x [N, C, H, W]; FLIP: the weight is [C, O/G, KH, KW], and its taps count from the last. */
function convolution(g: Geometry, FLIP: boolean, end: Epilogue): DirectForm {
  const shape = shapeOf(g, g.width % 4 === 0);
  const { rows, channels } = shape;
  const taps = g.kernel[0] * g.kernel[1];
  const lines = g.images * g.outHeight;
  return {
    candidates: (device) => directCandidates(device, shape),
    isBetter: (device) => directIsBetter(device, rows),
    run(e, { constants }, tensors) {
      const { PIXELS, ROWS, INVOCATIONS } = constants as Record<'PIXELS' | 'ROWS' | 'INVOCATIONS', number>;
      const [x, weight] = tensors as [Tensor, Tensor];
      const y = tensors.at(-1)!;
      const bias = end.bias && tensors[2]!;
      const pieces = Math.ceil(g.outWidth / PIXELS);
      const blocks = Math.ceil(rows / ROWS);
      const [columns, folds] = gridFor(lines * pieces, INVOCATIONS);
      e.dispatch({
        file: 'conv2d_direct',
        uses: ['lib/pixels', 'lib/activation'],
        constants: {
          ...elements({ X: x }, 4),
          ...elements({ WEIGHTS: weight, BIASES: bias ?? weight, Y: y }),
          ...constants,
          FLIP,
          BIAS: bias !== undefined,
          ACTIVATION: activationCode(end),
        },
        tensors: [x, weight, bias ?? weight, y],
        params: {
          groups: g.groups,
          channels,
          height: g.height,
          width: g.width,
          rows,
          blocks,
          out_height: g.outHeight,
          out_width: g.outWidth,
          kernel_height: g.kernel[0],
          pad: g.padding[0],
          weight_group: rows * channels * taps,
          weight_row: FLIP ? taps : channels * taps,
          weight_channel: FLIP ? rows * taps : taps,
          pieces,
          lines,
          slope: slopeOf(end),
        },
        grid: [columns, folds, g.groups * blocks],
        flops: 2 * sizeOf(y.shape) * channels * taps,
      });
    },
  };
}

/** gw from x and gy. Undefined where there is no such kernel. */
export function directWeightGradient(g: Geometry): DirectForm | undefined {
  if (!isPlain(g)) return undefined;
  const shape = shapeOf(g, g.width % 4 === 0 && g.outWidth % 4 === 0);
  const { rows, channels } = shape;
  return {
    candidates: (device) => directWeightGradientCandidates(device, shape),
    isBetter: (device) => directIsBetter(device, Math.min(rows, channels)),
    run(e, plan, [x, gy, gw]) {
      const parts = e.empty([plan.parts, ...gw!.shape]);
      addStrips(e, g, plan, x!, gy!, parts);
      sumOver(e, parts, { dims: [0] }, 1, gw!);
      e.release(parts);
    },
  };
}

/** parts [parts, O, C/G, KH, KW] from x and gy. */
function addStrips(
  e: Engine,
  g: Geometry,
  { constants, parts: count }: DirectPlan,
  x: Tensor,
  gy: Tensor,
  parts: Tensor,
): void {
  const { PIXELS, INVOCATIONS } = constants as Record<'PIXELS' | 'INVOCATIONS', number>;
  const stripsPerImage = Math.ceil(g.outWidth / PIXELS);
  const groupChannels = g.channels / g.groups;
  const taps = g.kernel[0] * g.kernel[1];
  e.dispatch({
    file: 'conv2d_direct_weight_gradient',
    uses: ['lib/pixels'],
    constants: { ...elements({ X: x, GY: gy }, 4), ...constants },
    tensors: [x, gy, parts],
    params: {
      channels: g.channels,
      height: g.height,
      width: g.width,
      out_channels: g.outChannels,
      out_height: g.outHeight,
      out_width: g.outWidth,
      group_channels: groupChannels,
      group_out_channels: g.outChannels / g.groups,
      pad: g.padding[0],
      strips: g.images * stripsPerImage,
      strips_per_image: stripsPerImage,
      parts: count,
    },
    grid: [Math.ceil(count / INVOCATIONS), 1, g.outChannels * groupChannels],
    flops: 2 * g.images * g.outHeight * g.outWidth * g.outChannels * groupChannels * taps,
  });
}
