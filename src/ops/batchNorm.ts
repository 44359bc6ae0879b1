/**
 * batch_norm with its activation. Where a channel is short, a workgroup does all of it in one dispatch; a long one is cut
 * into parts, whose moments are put together in a second dispatch before a third normalises.
 */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import { batchNorm as oracle } from '../reference/normalization.js';
import { type ActivationAttrs, activationCode, slopeOf } from './activation.js';
import { type ChannelLayout, channelLayout, channelWalk } from './channels.js';
import { type Case, defineOp, type InputShapes, inputName, shapeError, type Want } from './define.js';
import { threadsLog2 } from './lanes.js';

export interface BatchNormAttrs extends ActivationAttrs {
  /** Normalise with the batch's statistics and move the running ones; otherwise use the running ones. */
  readonly training: boolean;
  /** Weight of the batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/** x, weight, bias, runningMean, runningVar. */
type Inputs = readonly [Tensor, Tensor | undefined, Tensor | undefined, Tensor, Tensor];

/** What both forward passes are given. */
interface Forward {
  readonly inputs: Inputs;
  readonly attrs: BatchNormAttrs;
  /** [C, 4]: see kernels/lib/batch_norm.wgsl. */
  readonly statistics: Tensor;
  readonly y: Tensor;
}

/** What stands for a weight or bias that there is not: bound, and not read. */
const orUnread = (e: Engine, parameter: Tensor | undefined): Tensor => parameter ?? e.empty([1]);

function forwardInOne(e: Engine, layout: ChannelLayout, { inputs, attrs, statistics, y }: Forward): void {
  const { momentum = 0.1, eps = 1e-5 } = attrs;
  const { items, count, lanes } = layout;
  const [x, weight, bias, ...running] = inputs;
  e.dispatch({
    file: 'batch_norm_forward',
    uses: [lanes.file, 'lib/activation', 'lib/workgroup_sum', 'lib/channel', ...FORWARD_LIBRARIES],
    constants: {
      ...elements({ X: x, Y: y }, lanes.count),
      WIDTH: layout.width,
      SUM: 'f32',
      TRAINING: attrs.training,
      AFFINE: weight !== undefined,
      ACTIVATION: activationCode(attrs),
    },
    tensors: [x, orUnread(e, weight), orUnread(e, bias), ...running, statistics, y],
    params: { ...channelWalk(layout), items, count, momentum, eps, slope: slopeOf(attrs) },
    grid: [layout.channels],
  });
}

const FORWARD_LIBRARIES = ['lib/batch_norm', 'lib/batch_norm_moments', 'lib/batch_norm_running'];

function forwardInParts(e: Engine, layout: ChannelLayout, { inputs, attrs, statistics, y }: Forward): void {
  const [x, weight, bias, runningMean, runningVar] = inputs;
  const { momentum = 0.1, eps = 1e-5 } = attrs;
  const { lanes, channels, items, count } = layout;
  const parts = e.empty([channels, layout.cut.parts, 4]);
  if (attrs.training) {
    e.dispatch({
      file: 'batch_norm_statistics',
      uses: [lanes.file, 'lib/workgroup_sum', 'lib/channel', 'lib/batch_norm_moments'],
      constants: { ...elements({ X: x }, lanes.count), WIDTH: layout.width, SUM: 'f32' },
      tensors: [x, parts],
      params: { ...channelWalk(layout), items, part_items: layout.cut.items },
      grid: [layout.cut.parts, channels],
    });
  }
  e.dispatch({
    file: 'batch_norm_finalise',
    uses: [lanes.file, 'lib/batch_norm', 'lib/batch_norm_running'],
    constants: { TRAINING: attrs.training },
    tensors: [parts, runningMean, runningVar, statistics],
    params: {
      channels,
      count,
      parts: layout.cut.parts,
      part_count: layout.cut.items * lanes.count,
      momentum,
      eps,
    },
    grid: gridFor(channels, 64),
  });
  e.dispatch({
    file: 'batch_norm_apply',
    uses: [lanes.file, 'lib/activation', 'lib/batch_norm'],
    constants: {
      ...elements({ X: x, Y: y }, lanes.count),
      AFFINE: weight !== undefined,
      ACTIVATION: activationCode(attrs),
    },
    tensors: [x, orUnread(e, weight), orUnread(e, bias), statistics, y],
    ...perPlane(e, layout, attrs),
  });
}

/** Uniforms and grid of the kernels in which a few invocations share a plane. */
function perPlane(e: Engine, { images, channels, plane }: ChannelLayout, attrs: BatchNormAttrs) {
  const planes = images * channels;
  const threads_log2 = threadsLog2(e.capabilities, plane);
  return {
    params: { planes, channels, plane, threads_log2, slope: slopeOf(attrs) },
    grid: gridFor(planes * 2 ** threads_log2, 64),
  };
}

/** What both backward passes are given; gx is undefined if nobody wants it, and may be gy. */
interface Backward {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly gy: Tensor;
  readonly statistics: Tensor;
  readonly weight: Tensor | undefined;
  readonly attrs: BatchNormAttrs;
  readonly gx: Tensor | undefined;
  readonly gweight: Tensor;
  readonly gbias: Tensor;
}

function backwardInOne(e: Engine, layout: ChannelLayout, b: Backward): void {
  const gx = b.gx ?? e.empty([1]);
  e.dispatch({
    file: 'batch_norm_backward',
    uses: [layout.lanes.file, 'lib/activation', 'lib/workgroup_sum', 'lib/channel', ...BACKWARD_LIBRARIES],
    constants: {
      ...elements({ X: b.x, Y: b.y, GY: b.gy, GX: gx }, layout.lanes.count),
      WIDTH: layout.width,
      SUM: 'vec2f',
      ACTIVATION: activationCode(b.attrs),
      AFFINE: b.weight !== undefined,
      INPUT: b.gx !== undefined,
    },
    tensors: [b.x, b.y, b.gy, b.statistics, orUnread(e, b.weight), gx, b.gweight, b.gbias],
    inPlace: gx === b.gy ? [2, 5] : undefined,
    params: {
      ...channelWalk(layout),
      items: layout.items,
      inverse_count: inverseCount(layout, b.attrs),
      slope: slopeOf(b.attrs),
    },
    grid: [layout.channels],
  });
}

const BACKWARD_LIBRARIES = ['lib/batch_norm', 'lib/batch_norm_gradient', 'lib/batch_norm_sums'];

/** In evaluation, means over a channel are no part of the gradient. */
const inverseCount = ({ count }: ChannelLayout, { training }: BatchNormAttrs): number => (training ? 1 / count : 0);

function backwardInParts(e: Engine, layout: ChannelLayout, b: Backward): void {
  const { lanes, channels, items } = layout;
  const constants = {
    ...elements({ X: b.x, Y: b.y, GY: b.gy }, lanes.count),
    ACTIVATION: activationCode(b.attrs),
  };
  const operands = [b.x, b.y, b.gy, b.statistics];
  const parts = e.empty([channels, layout.cut.parts, 2]);
  e.dispatch({
    file: 'batch_norm_sums',
    uses: [lanes.file, 'lib/activation', 'lib/workgroup_sum', 'lib/channel', ...BACKWARD_LIBRARIES],
    constants: { ...constants, WIDTH: layout.width, SUM: 'vec2f' },
    tensors: [...operands, parts],
    params: { ...channelWalk(layout), items, part_items: layout.cut.items, slope: slopeOf(b.attrs) },
    grid: [layout.cut.parts, channels],
  });
  e.dispatch({
    file: 'batch_norm_parameter_gradient',
    tensors: [parts, b.gweight, b.gbias],
    params: { channels, parts: layout.cut.parts },
    grid: gridFor(channels, 64),
  });
  if (!b.gx) return;
  const { params, grid } = perPlane(e, layout, b.attrs);
  e.dispatch({
    file: 'batch_norm_input_gradient',
    uses: [lanes.file, 'lib/activation', 'lib/batch_norm', 'lib/batch_norm_gradient'],
    constants: { ...constants, ...elements({ GX: b.gx }, lanes.count), AFFINE: b.weight !== undefined },
    tensors: [...operands, orUnread(e, b.weight), b.gweight, b.gbias, b.gx],
    inPlace: b.gx === b.gy ? [2, 7] : undefined,
    params: { ...params, inverse_count: inverseCount(layout, b.attrs) },
    grid,
  });
}

function checkedShape([x, ...perChannel]: InputShapes, { training }: BatchNormAttrs): Shape {
  if (!x || x.length < 2 || x.length > 4) throw shapeError('batch_norm', 'x', 'must have 2 to 4 dimensions', x);
  const channels = x[1]!;
  PER_CHANNEL.forEach((name, i) => {
    const shape = perChannel[i];
    if (name.endsWith('?') && !perChannel[0] && !perChannel[1]) return;
    if (shape?.length !== 1 || shape[0] !== channels) {
      throw shapeError('batch_norm', inputName(name), `must have the ${channels} channels of x`, x, shape);
    }
  });
  if (training && sizeOf(x) === channels) {
    throw shapeError('batch_norm', 'x', 'must have more than one value per channel in training', x);
  }
  return x;
}

const PER_CHANNEL = ['weight?', 'bias?', 'runningMean', 'runningVar'] as const;

const orTemporary = (e: Engine, want: Want, shape: Shape): Tensor => want?.() ?? e.empty(shape);

export const batchNorm = defineOp<BatchNormAttrs, Inputs>({
  name: 'batch_norm',
  summary: 'x [N, C, ...], weight, bias (or neither), runningMean, runningVar [C] -> y like x, normalised per channel',
  inputs: ['x', ...PER_CHANNEL],
  half: { x: 'f16' },
  updates: ['runningMean', 'runningVar'],
  shape: checkedShape,
  forward(e, inputs, attrs, shape) {
    const layout = channelLayout(e.capabilities, shape);
    const statistics = e.empty([layout.channels, 4]);
    const y = e.empty(shape, inputs[0].dtype);
    const run = layout.cut.parts > 1 ? forwardInParts : forwardInOne;
    run(e, layout, { inputs, attrs, statistics, y });
    return { y, statistics };
  },
  saves: ['x', 'weight', 'y', 'statistics'],
  backward(e, { x, weight, y, statistics }, gy, attrs, want, spare) {
    const layout = channelLayout(e.capabilities, x!.shape);
    const gx = want[0] && (spare ? gy : want[0]());
    const gweight = orTemporary(e, want[1], [layout.channels]);
    const gbias = orTemporary(e, want[2], [layout.channels]);
    const run = layout.cut.parts > 1 ? backwardInParts : backwardInOne;
    run(e, layout, { x: x!, y: y!, gy, statistics: statistics!, weight, attrs, gx, gweight, gbias });
    return [gx, want[1] && gweight, want[2] && gbias];
  },
  reference: oracle,
  flops: ([x], { training }) => (training ? 8 : 2) * sizeOf(x!),
  cases: [
    normalise([4, 6, 5, 5], { training: true, momentum: 0.01 }),
    normalise([3, 7, 9, 11], { training: true, activation: 'leaky_relu', slope: 0.2 }),
    normalise([2, 33, 4, 6], { training: true, activation: 'relu' }),
    normalise([5, 3, 8, 8], { training: true, eps: 1e-3, activation: 'tanh' }),
    normalise([2, 1, 16, 16], { training: true, activation: 'sigmoid' }),
    normalise([9, 5], { training: true }),
    normalise([2, 7], { training: true, momentum: 1 }),
    normalise([3, 5, 12], { training: true, activation: 'relu6' }),
    normalise([2, 3, 7], { training: true }),
    normalise([2, 3, 80, 128], { training: true, activation: 'leaky_relu' }),
    normalise([3, 1, 67, 65], { training: true }),
    normalise([3, 7, 9, 11], { training: false }),
    normalise([1, 4, 6, 6], { training: false, activation: 'leaky_relu', slope: 0.2 }),
    normalise([1, 3], { training: false }),
    normalise([1, 2, 128, 160], { training: false, activation: 'relu' }),
    normalise([3, 7, 9, 11], { training: true }, false),
    normalise([2, 3, 80, 128], { training: true, activation: 'leaky_relu' }, false),
    normalise([1, 4, 6, 6], { training: false }, false),
  ],
  bench: [
    normalise([16, 64, 32, 32], { training: true, activation: 'leaky_relu' }),
    normalise([16, 256, 4, 4], { training: true, activation: 'leaky_relu' }),
    normalise([16, 1, 32, 32], { training: true }),
    normalise([16, 64, 32, 32], { training: false, activation: 'relu' }),
  ],
});

function normalise(x: Shape, attrs: BatchNormAttrs, affine = true): Case<BatchNormAttrs> {
  const channels = [x[1]!];
  const parameter = affine ? channels : undefined;
  return { shapes: [x, parameter, parameter, channels, channels], attrs, fill: { runningVar: 'positive' } };
}
