/** conv2d and conv_transpose2d: three products, which direct kernels compute where channels are few, serve all six passes. */
import type { DirectPlan } from '../kernel/choose/direct.js';
import type { GemmPlan } from '../kernel/choose/gemm.js';
import type { Engine, Work } from '../kernel/engine.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import * as oracle from '../reference/convolution.js';
import type { ActivationAttrs } from './activation.js';
import {
  type ConvolutionAttrs,
  describe,
  type Geometry,
  geometry,
  type Pair,
  phasesOf,
  uniforms,
} from './convolution.js';
import { type Case, checkPair, defineOp, type InputShapes, isCount, ranked, shapeError } from './define.js';
import { type DirectForm, directForward, directInputGradient, directWeightGradient } from './directConv2d.js';
import { epilogueGradient } from './epilogue.js';
import { type Epilogue, type GemmRun, gemmWork } from './gemm.js';
import { packedForward, packedInputGradient, packedWeightGradient, type Shared } from './packedConv2d.js';

export interface Conv2dAttrs extends ConvolutionAttrs, ActivationAttrs {}

export interface ConvTranspose2dAttrs extends Conv2dAttrs {
  /** Rows and columns added at the end of the output. Default [0, 0]. */
  readonly outputPadding?: Pair;
}

/** A pass as a work: a matrix product, or a direct kernel where there is one. */
function passOf(g: Geometry, run: Omit<GemmRun, 'name'>, direct?: DirectForm): Work<GemmPlan | DirectPlan> {
  const product = gemmWork({ ...run, name: describe(run.file, g) });
  if (!direct) return product;
  return {
    ...product,
    candidates(device, most) {
      const [products, directs] = [product.candidates(device, most), direct.candidates(device)];
      return direct.isBetter(device) ? [...directs, ...products] : [...products, ...directs];
    },
    run(e, plan, tensors) {
      if (plan.core === 'direct') direct.run(e, plan, tensors);
      else product.run(e, plan, tensors);
    },
  };
}

/** y = conv(x, weight). x [N, C, H, W], weight [O, C/G, KH, KW], y [N, O, OH, OW]. */
function forwardPass(
  e: Engine,
  g: Geometry,
  x: Tensor,
  weight: Tensor,
  y: Tensor,
  end: Epilogue = {},
  shared?: Shared,
): Tensor {
  const run = {
    file: 'conv2d_forward',
    shape: {
      rows: g.outChannels / g.groups,
      columns: g.images * g.outHeight * g.outWidth,
      items: g.groups,
      terms: (g.channels / g.groups) * g.kernel[0] * g.kernel[1],
      sumContiguous: false,
    },
    packed: packedForward(g, shared),
    operands: [x, weight],
    output: y,
    params: uniforms(g),
    epilogue: { ...end, biasStride: g.outHeight * g.outWidth },
  };
  e.perform(passOf(g, run, directForward(g, end)));
  return y;
}

/** gx from gy; as well the transposed convolution of gy. gx [N, C, H, W]. */
function inputGradientPass(
  e: Engine,
  g: Geometry,
  gy: Tensor,
  weight: Tensor,
  gx: Tensor,
  end: Epilogue = {},
  shared?: Shared,
): Tensor {
  const phases = phasesOf(g);
  const { step } = phases;
  const run = {
    file: 'conv2d_input_gradient',
    uses: ['lib/phase'],
    shape: {
      rows: g.channels / g.groups,
      columns: g.images * phases.height * phases.width,
      items: g.groups * phases.count,
      terms: (g.outChannels / g.groups) * Math.ceil(g.kernel[0] / step[0]) * Math.ceil(g.kernel[1] / step[1]),
      sumContiguous: false,
    },
    packed: packedInputGradient(g, shared),
    operands: [gy, weight],
    output: gx,
    params: {
      ...uniforms(g),
      group_out_channels: g.outChannels / g.groups,
      step_y: step[0],
      step_x: step[1],
      stride_of_step_y: (step[0] * g.dilation[0]) / g.stride[0],
      stride_of_step_x: (step[1] * g.dilation[1]) / g.stride[1],
      phase_height: phases.height,
      phase_width: phases.width,
    },
    epilogue: { ...end, biasStride: g.height * g.width },
  };
  e.perform(passOf(g, run, directInputGradient(g, end)));
  return gx;
}

/** gw from x and gy. gw [O, C/G, KH, KW]. */
function weightGradientPass(e: Engine, g: Geometry, x: Tensor, gy: Tensor, gw: Tensor, shared?: Shared): Tensor {
  const run = {
    file: 'conv2d_weight_gradient',
    shape: {
      rows: g.outChannels / g.groups,
      columns: (g.channels / g.groups) * g.kernel[0] * g.kernel[1],
      items: g.groups,
      terms: g.images * g.outHeight * g.outWidth,
      sumContiguous: true,
    },
    packed: packedWeightGradient(g, shared),
    operands: [x, gy],
    output: gw,
    params: uniforms(g),
  };
  e.perform(passOf(g, run, directWeightGradient(g)));
  return gw;
}

/** Common checks; returns [N, C, H, W] and the weight's extents. */
function checked(
  op: string,
  [x, weight, bias]: InputShapes,
  attrs: Conv2dAttrs,
  transposed: boolean,
): { x: Shape; weight: Shape } {
  const xs = ranked(op, 'x', x, 4);
  const ws = ranked(op, 'weight', weight, 4);
  const { stride = [1, 1], padding = [0, 0], dilation = [1, 1], groups = 1 } = attrs;
  checkPair(op, 'stride', stride, 1, xs);
  checkPair(op, 'padding', padding, 0, xs);
  checkPair(op, 'dilation', dilation, 1, xs);
  if (!isCount(groups, 1)) throw shapeError(op, `groups ${groups}`, 'must be a whole number above 0', xs);
  const [inputs, outputs] = transposed ? [ws[0]!, ws[1]! * groups] : [ws[1]! * groups, ws[0]!];
  if (xs[1] !== inputs)
    throw shapeError(op, 'weight', `does not fit the ${xs[1]} channels of x in ${groups} groups`, xs, ws);
  if (outputs % groups !== 0 || inputs % groups !== 0)
    throw shapeError(op, `groups ${groups}`, 'must divide the channels', xs, ws);
  if (bias && sizeOf(bias) !== outputs) throw shapeError(op, 'bias', `must have ${outputs} elements`, bias);
  return { x: xs, weight: ws };
}

export const conv2d = defineOp<Conv2dAttrs, readonly [Tensor, Tensor, Tensor?]>({
  name: 'conv2d',
  summary: 'x [N, C, H, W], weight [O, C/groups, KH, KW], bias [O] -> y [N, O, OH, OW]',
  inputs: ['x', 'weight', 'bias?'],
  half: { x: 'f16', weight: 'f32' },
  shape(inputs, attrs) {
    const { x, weight } = checked('conv2d', inputs, attrs, false);
    const extent = (i: 0 | 1): number => {
      const reach = (attrs.dilation?.[i] ?? 1) * (weight[2 + i]! - 1) + 1;
      return Math.floor((x[2 + i]! + 2 * (attrs.padding?.[i] ?? 0) - reach) / (attrs.stride?.[i] ?? 1)) + 1;
    };
    const [height, width] = [extent(0), extent(1)];
    if (height < 1 || width < 1) throw shapeError('conv2d', 'weight', 'is larger than the padded x', x, weight);
    return [x[0]!, weight[0]!, height, width];
  },
  forward(e, [x, weight, bias], attrs, shape) {
    const g = geometry(x.shape, weight.shape, shape, attrs);
    return { y: forwardPass(e, g, x, weight, e.empty(shape, x.dtype), { ...attrs, bias }) };
  },
  saves: ['x', 'weight', 'y'],
  backward(e, { x, weight, y }, gy, attrs, want, spare) {
    const g = geometry(x!.shape, weight!.shape, gy.shape, attrs);
    const { gz, gbias } = epilogueGradient(e, y!, gy, attrs, want[2], spare);
    const shared = want[0] && want[1] && ({ operand: 'gy' } as const);
    return [
      want[0] && inputGradientPass(e, g, gz, weight!, want[0](), {}, shared),
      want[1] && weightGradientPass(e, g, x!, gz, want[1](), shared),
      gbias,
    ];
  },
  reference: oracle.conv2d,
  flops: ([, weight], _attrs, shape) => 2 * sizeOf(shape) * sizeOf(weight!.slice(1)),
  cases: [
    conv([2, 3, 8, 8], [4, 3, 3, 3], { padding: [1, 1] }, 4),
    conv([2, 4, 9, 7], [6, 4, 3, 3], { stride: [2, 2], padding: [1, 1] }, 6),
    conv([1, 5, 11, 6], [3, 5, 4, 4], { stride: [2, 2], padding: [1, 1], activation: 'leaky_relu' }),
    conv([3, 2, 7, 12], [5, 2, 7, 7], { padding: [3, 3], activation: 'relu' }, 5),
    conv([2, 6, 6, 8], [8, 6, 1, 1], { stride: [2, 2] }),
    conv([2, 8, 9, 9], [16, 1, 3, 3], { stride: [2, 2], padding: [1, 1], groups: 8 }, 16),
    conv([1, 8, 5, 6], [6, 4, 3, 3], { padding: [1, 1], groups: 2 }, 6),
    conv([2, 6, 10, 10], [4, 6, 3, 3], { padding: [2, 2], dilation: [2, 2] }, 4),
    conv([1, 3, 12, 13], [2, 3, 3, 3], { stride: [2, 3], padding: [2, 1], dilation: [2, 2] }),
    conv([1, 3, 6, 9], [4, 3, 3, 5], { stride: [2, 1], padding: [0, 2], activation: 'tanh' }, 4),
    conv([1, 33, 9, 10], [35, 33, 3, 3], { padding: [1, 1] }, 35),
    conv([1, 1, 1, 1], [1, 1, 1, 1], {}),
    conv([2, 6, 5, 16], [1, 6, 3, 3], { padding: [1, 1], activation: 'tanh' }, 1),
    conv([3, 2, 9, 8], [1, 2, 7, 7], { padding: [3, 3] }),
    conv([2, 8, 7, 9], [8, 1, 3, 3], { padding: [1, 1], groups: 8 }),
    conv([2, 4, 7, 16], [4, 1, 3, 3], { stride: [2, 2], padding: [1, 1], groups: 4, activation: 'relu6' }, 4),
    conv([1, 4, 8, 8], [4, 1, 4, 4], { stride: [2, 2], padding: [1, 1], groups: 4 }),
    conv([1, 3, 10, 12], [3, 1, 5, 5], { stride: [2, 2], padding: [2, 0], groups: 3 }, 3),
    conv([2, 1, 6, 12], [3, 1, 5, 4], { padding: [2, 0], activation: 'relu' }, 3),
    conv([2, 130, 1, 1], [130, 130, 3, 3], { padding: [1, 1], activation: 'relu' }, 130),
  ],
  bench: [
    conv([8, 32, 32, 32], [64, 32, 3, 3], { padding: [1, 1] }),
    conv([8, 16, 64, 64], [32, 16, 4, 4], { stride: [2, 2], padding: [1, 1] }),
    conv([16, 1, 32, 32], [16, 1, 3, 3], { padding: [1, 1] }),
    conv([2, 512, 1, 1], [512, 512, 3, 3], { padding: [1, 1] }),
  ],
  tolerance: { forward: 2e-5, gradient: 1e-3 },
});

/**
 * The input gradient of a convolution from the output to the input: weight [C, O/groups, KH, KW] read as that
 * convolution's [outputs, inputs/groups, ...], so its forward pass is our input gradient, and the other way round.
 */
export const convTranspose2d = defineOp<ConvTranspose2dAttrs, readonly [Tensor, Tensor, Tensor?]>({
  name: 'conv_transpose2d',
  summary:
    'x [N, C, H, W], weight [C, O/groups, KH, KW], bias [O] -> y [N, O, OH, OW], OH = (H - 1) stride - 2 padding + reach + outputPadding',
  inputs: ['x', 'weight', 'bias?'],
  half: { x: 'f16', weight: 'f32' },
  shape(inputs, attrs) {
    const { x, weight } = checked('conv_transpose2d', inputs, attrs, true);
    checkPair('conv_transpose2d', 'outputPadding', attrs.outputPadding ?? [0, 0], 0, x);
    const extent = (i: 0 | 1): number => {
      const reach = (attrs.dilation?.[i] ?? 1) * (weight[2 + i]! - 1) + 1;
      const stride = attrs.stride?.[i] ?? 1;
      return (x[2 + i]! - 1) * stride - 2 * (attrs.padding?.[i] ?? 0) + reach + (attrs.outputPadding?.[i] ?? 0);
    };
    const [height, width] = [extent(0), extent(1)];
    if (height < 1 || width < 1) throw shapeError('conv_transpose2d', 'padding', 'leaves nothing of y', x, weight);
    return [x[0]!, weight[1]! * (attrs.groups ?? 1), height, width];
  },
  forward(e, [x, weight, bias], attrs, shape) {
    const g = geometry(shape, weight.shape, x.shape, attrs);
    return { y: inputGradientPass(e, g, x, weight, e.empty(shape, x.dtype), { ...attrs, bias }) };
  },
  saves: ['x', 'weight', 'y'],
  backward(e, { x, weight, y }, gy, attrs, want, spare) {
    const g = geometry(gy.shape, weight!.shape, x!.shape, attrs);
    const { gz, gbias } = epilogueGradient(e, y!, gy, attrs, want[2], spare);
    const shared = want[0] && want[1] && ({ operand: 'x' } as const);
    return [
      want[0] && forwardPass(e, g, gz, weight!, want[0](), {}, shared),
      want[1] && weightGradientPass(e, g, gz, x!, want[1](), shared),
      gbias,
    ];
  },
  reference: oracle.convTranspose2d,
  flops: ([x, weight]) => 2 * sizeOf(x!) * sizeOf(weight!.slice(1)),
  cases: [
    conv([2, 3, 4, 4], [3, 5, 4, 4], { stride: [2, 2], padding: [1, 1] }, 5),
    conv([1, 6, 5, 7], [6, 4, 4, 4], { stride: [2, 2], padding: [1, 1], activation: 'relu' }),
    conv([2, 4, 4, 4], [4, 3, 3, 3], { stride: [2, 2], padding: [1, 1], outputPadding: [1, 1] }, 3),
    conv([1, 3, 6, 5], [3, 2, 3, 3], { padding: [1, 1] }),
    conv([2, 5, 3, 4], [5, 2, 5, 5], { stride: [3, 3], padding: [1, 1], outputPadding: [2, 2] }, 2),
    conv([1, 4, 3, 3], [4, 3, 3, 2], { stride: [2, 2], dilation: [2, 3], groups: 2 }),
    conv([1, 2, 3, 3], [2, 1, 2, 2], { stride: [3, 3] }),
  ],
  bench: [conv([8, 64, 16, 16], [64, 32, 4, 4], { stride: [2, 2], padding: [1, 1] })],
  tolerance: { forward: 2e-5, gradient: 1e-3 },
});

/** A case; `bias`: the number of output channels, where a bias is given. */
function conv<A extends Conv2dAttrs>(x: Shape, weight: Shape, attrs: A, bias?: number): Case<A> {
  return { shapes: bias === undefined ? [x, weight] : [x, weight, [bias]], attrs };
}
