/**
 * Convolutional block attention (Woo et al. 2018) with what a residual block ends with, in few dispatches:
 *
 *   gated = x sigmoid(mlp(mean over h, w of x) + mlp(max over h, w of x)),   mlp(v) = weight2 relu(weight1 v + bias1) + bias2
 *   attention = sigmoid(batch norm(conv([max over c of gated, mean over c of gated]; spatial)))
 *   y = activation(gated attention + residual)
 *
 * gated is computed anew where it is needed, which costs a product and saves its way through the memory.
 */
import type { Capabilities } from '../kernel/choose.js';
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Shape, sameShape, sizeOf, type Tensor } from '../memory/tensor.js';
import { cbam as oracle } from '../reference/attention.js';
import { activate, add } from '../reference/elementwise.js';
import { type ActivationAttrs, activationCode, slopeOf } from './activation.js';
import { batchNorm } from './batchNorm.js';
import { conv2d } from './conv2d.js';
import { type Case, defineOp, type InputShapes, ranked, type Saved, shapeError, type Want } from './define.js';
import { lanesFor } from './lanes.js';
import { team, teamWidth } from './team.js';

export interface CbamAttrs extends ActivationAttrs {
  /** Of the batch norm: see BatchNormAttrs. */
  readonly training: boolean;
  readonly momentum?: number;
}

/** The names of the reference's state, in the order of the op's inputs after x. */
const PARAMETERS = {
  weight1: 'mlp1.weight',
  bias1: 'mlp1.bias',
  weight2: 'mlp2.weight',
  bias2: 'mlp2.bias',
  spatial: 'spatial.weight',
  bnWeight: 'spatial_bn.weight',
  bnBias: 'spatial_bn.bias',
  runningMean: 'spatial_bn.running_mean',
  runningVar: 'spatial_bn.running_var',
} as const;

type Parameters = Readonly<Record<keyof typeof PARAMETERS, Tensor>>;

/** x [N, C, H, W] as the kernels see it: planes of pixels in items of one or four. */
function layoutOf(device: Capabilities, x: Shape, hidden: number) {
  const [images, channels, height, width] = x as [number, number, number, number];
  const lanes = lanesFor(height * width);
  const items = (height * width) / lanes.count;
  const planes = images * channels;
  const columns = images * items;
  const octets = Math.ceil(channels / 8);
  /** A team of invocations for each of so many sums of `terms`. */
  const teams = (sums: number, terms: number, most: number) => {
    const members = teamWidth(device, sums, terms, most);
    return { ...team(members, lanes.file), grid: gridFor(sums, 64 / members) };
  };
  return {
    lanes,
    sizes: { images, channels, items, planes, octets, hidden, pixels: height * width },
    perImage: [images] as const,
    perPlane: teams(planes, items, 64),
    /** A team for each item of an image. */
    perColumn: teams(columns, channels, 8),
    /** An invocation for each eight channels of an item. */
    perOctet: { uses: [lanes.file], grid: gridFor(columns * octets, 64) },
    perWeight: gridFor(hidden * channels, 64),
    plane: [images, channels],
    pixel: [images, 1, height, width],
    pair: [images, 2, height, width],
  };
}

type Layout = ReturnType<typeof layoutOf>;

const padding = (spatial: Tensor) => {
  const [, , height, width] = spatial.shape as [number, number, number, number];
  return { padding: [(height - 1) / 2, (width - 1) / 2] as const };
};

/** What forward leaves for the way back. */
interface Kept {
  /** [N, C, 4]: of each plane mean, maximum, how many values reach it, and its gate. */
  readonly planes: Tensor;
  /** [N, J, 2]: the MLP's hidden values for the mean and for the maximum. */
  readonly hidden: Tensor;
  /** [N, 2, H, W]: of each pixel the maximum and the mean over channels, and how many channels reach the maximum. */
  readonly pixels: Tensor;
  readonly ties: Tensor;
  /** [N, 1, H, W]: what the convolution gave, and what it became. */
  readonly logits: Tensor;
  readonly attention: Tensor;
  readonly statistics: Tensor;
  readonly [extra: string]: Tensor;
}

function attend(e: Engine, layout: Layout, x: Tensor, w: Parameters, attrs: CbamAttrs): Kept {
  const { lanes, sizes } = layout;
  const typed = elements({ X: x }, lanes.count);
  const planes = e.empty([...layout.plane, 4]);
  const hidden = e.empty([sizes.images, sizes.hidden, 2]);
  const pixels = e.empty(layout.pair);
  const ties = e.empty(layout.pixel);
  const { perPlane, perColumn } = layout;
  e.dispatch({
    ...perPlane,
    file: 'cbam_pool',
    constants: { ...typed, ...perPlane.constants },
    tensors: [x, planes],
    params: sizes,
  });
  e.dispatch({
    file: 'cbam_mlp',
    uses: ['lib/activation'],
    constants: { ...elements({ PARAMETER: w.weight1 }), ACTIVATION: activationCode({ activation: 'sigmoid' }) },
    tensors: [w.weight1, w.bias1, w.weight2, w.bias2, planes, hidden],
    params: sizes,
    grid: layout.perImage,
  });
  e.dispatch({
    ...perColumn,
    file: 'cbam_channel_pool',
    constants: { ...typed, ...perColumn.constants },
    tensors: [x, planes, pixels, ties],
    params: sizes,
  });
  const { y: logits } = conv2d.forward(e, [pixels, w.spatial], padding(w.spatial), layout.pixel);
  const { y: attention, statistics } = batchNorm.forward(
    e,
    [logits!, w.bnWeight, w.bnBias, w.runningMean, w.runningVar],
    ofBatchNorm(attrs),
    layout.pixel,
  );
  return { planes, hidden, pixels, ties, logits: logits!, attention: attention!, statistics: statistics! };
}

const ofBatchNorm = ({ training, momentum }: CbamAttrs) => ({
  training,
  activation: 'sigmoid' as const,
  ...(momentum !== undefined && { momentum }),
});

function gate(
  e: Engine,
  layout: Layout,
  x: Tensor,
  kept: Kept,
  residual: Tensor | undefined,
  attrs: CbamAttrs,
): Tensor {
  const { perOctet } = layout;
  const y = e.empty(x.shape, x.dtype);
  e.dispatch({
    file: 'cbam_gate',
    uses: [...perOctet.uses, 'lib/activation'],
    constants: {
      ...elements({ X: x, SKIPPED: residual ?? x, Y: y }, layout.lanes.count),
      RESIDUAL: residual !== undefined,
      ACTIVATION: activationCode(attrs),
    },
    tensors: [x, kept.planes, kept.attention, residual ?? x, y],
    params: { ...layout.sizes, slope: slopeOf(attrs) },
    grid: perOctet.grid,
  });
  return y;
}

/** What the way back has found of the gates when it comes to x and to the MLP. */
interface Back {
  /** Gradients of x gate attention, of the pixels' maxima and means, and of the channels' gates before their sigmoid. */
  readonly gz: Tensor;
  readonly gpixels: Tensor;
  readonly glogits: Tensor;
}

/**
 * Back through the gates. `want`: for the gradients of spatial, bnWeight and bnBias, which come besides. `spare`: gz may lie
 * in gy's place.
 */
function backThroughGates(
  e: Engine,
  layout: Layout,
  saved: Saved,
  gy: Tensor,
  attrs: CbamAttrs,
  want: readonly Want[],
  spare: boolean,
) {
  const { x, y, planes, pixels, ties, logits, attention, statistics, spatial, bnWeight } = saved as Saved & Kept;
  const { lanes, perColumn, perPlane, sizes } = layout;
  const ACTIVATION = activationCode(attrs);
  const gz = ACTIVATION === 0 || spare ? gy : e.empty(gy.shape, gy.dtype);
  const gattention = e.empty(layout.pixel);
  // Bound where gz is gy, and not written.
  const unwritten = e.empty([4], gy.dtype);
  e.dispatch({
    ...perColumn,
    file: 'cbam_gate_gradient',
    uses: [...perColumn.uses, 'lib/activation'],
    constants: {
      ...elements({ X: x!, Y: y!, GY: gy, GZ: gz }, lanes.count),
      ...perColumn.constants,
      ACTIVATION,
    },
    tensors: [y!, gy, x!, planes, ACTIVATION === 0 ? unwritten : gz, gattention],
    inPlace: ACTIVATION !== 0 && gz === gy ? [1, 4] : undefined,
    params: { ...sizes, slope: slopeOf(attrs) },
  });
  const [glogitsOfPixels, gbnWeight, gbnBias] = batchNorm.backward!(
    e,
    { x: logits, y: attention, statistics, weight: bnWeight! },
    gattention,
    ofBatchNorm(attrs),
    [() => e.empty(layout.pixel), want[1], want[2]],
  );
  const [gpixels, gspatial] = conv2d.backward!(
    e,
    { x: pixels, weight: spatial!, y: logits },
    glogitsOfPixels!,
    padding(spatial!),
    [() => e.empty(layout.pair), want[0], undefined],
  );
  const glogits = e.empty(layout.plane);
  e.dispatch({
    ...perPlane,
    file: 'cbam_channel_gradient',
    uses: [...perPlane.uses, 'lib/cbam_pixel'],
    constants: { ...elements({ X: x!, GZ: gz }, lanes.count), ...perPlane.constants },
    tensors: [x!, gz, planes, attention, pixels, ties, gpixels!, glogits],
    params: sizes,
  });
  return { back: { gz, gpixels: gpixels!, glogits }, gradients: [gspatial, gbnWeight, gbnBias] };
}

/** Gradients of weight1, bias1, weight2, bias2, and what the gradient of x needs of each plane [N, C, 4]. */
function backThroughMlp(e: Engine, layout: Layout, saved: Saved, { glogits }: Back, wants: readonly Want[]) {
  const { planes, hidden, weight1, weight2 } = saved as Saved & Kept;
  const { sizes } = layout;
  const ghidden = e.empty(hidden.shape);
  const factors = e.empty(planes.shape);
  e.dispatch({
    file: 'cbam_mlp_gradient',
    constants: elements({ PARAMETER: weight1! }),
    tensors: [weight1!, weight2!, planes, hidden, glogits, ghidden, factors],
    params: sizes,
    grid: layout.perImage,
  });
  if (!wants.some(Boolean)) return { factors, gradients: wants.map(() => undefined) };
  const { channels } = sizes;
  const shapes = [[sizes.hidden, channels], [sizes.hidden], [channels, sizes.hidden], [channels]];
  const gradients = wants.map((want, i) => want?.() ?? e.empty(shapes[i]!));
  e.dispatch({
    file: 'cbam_mlp_weight_gradient',
    tensors: [planes, hidden, ghidden, glogits, ...gradients],
    params: sizes,
    grid: layout.perWeight,
  });
  return { factors, gradients: gradients.map((gradient, i) => wants[i] && gradient) };
}

function inputGradient(e: Engine, layout: Layout, saved: Saved, { gz, gpixels }: Back, factors: Tensor, gx: Tensor) {
  const { x, pixels, ties, attention } = saved as Saved & Kept;
  const { perOctet } = layout;
  e.dispatch({
    file: 'cbam_input_gradient',
    uses: [...perOctet.uses, 'lib/cbam_pixel'],
    constants: elements({ X: x!, GZ: gz, GX: gx }, layout.lanes.count),
    tensors: [x!, gz, factors, attention, pixels, ties, gpixels, gx],
    params: layout.sizes,
    grid: perOctet.grid,
  });
  return gx;
}

function checkedShape([x, ...shapes]: InputShapes): Shape {
  const [, c] = ranked('cbam', 'x', x, 4);
  const named = Object.keys(PARAMETERS).map((name, i) => [name, shapes[i]] as const);
  const j = shapes[0]?.[0] ?? 0;
  const wanted: Partial<Record<string, Shape>> = { weight1: [j, c!], bias1: [j], weight2: [c!, j], bias2: [c!] };
  for (const [name, shape] of named) {
    const expected = wanted[name] ?? [1];
    if (name !== 'spatial' && !(shape && sameShape(shape, expected))) {
      throw shapeError('cbam', name, `must be [${expected}] for x`, shape, x);
    }
  }
  const spatial = shapes[4];
  if (spatial?.length !== 4 || spatial[0] !== 1 || spatial[1] !== 2 || spatial.slice(2).some((k) => k % 2 === 0)) {
    throw shapeError('cbam', 'spatial', 'must be [1, 2, KH, KW] with odd KH and KW', spatial);
  }
  const residual = shapes[9];
  if (residual && !sameShape(residual, x!))
    throw shapeError('cbam', 'residual', 'must have the shape of x', residual, x);
  return x!;
}

type Inputs = readonly [Tensor, ...Tensor[]];

function named([, ...parameters]: readonly (Tensor | undefined)[]): Parameters {
  const names = Object.keys(PARAMETERS);
  return Object.fromEntries(names.map((name, i) => [name, parameters[i]!])) as unknown as Parameters;
}

export const cbam = defineOp<CbamAttrs, Inputs>({
  name: 'cbam',
  summary: "x [N, C, H, W], the parameters of CBAM's parts, residual like x -> activation(cbam(x) + residual)",
  inputs: ['x', ...Object.keys(PARAMETERS), 'residual?'],
  updates: ['runningMean', 'runningVar'],
  half: { x: 'f16', residual: 'f16' },
  shape: checkedShape,
  forward(e, inputs, attrs) {
    const [x] = inputs;
    const parameters = named(inputs);
    const layout = layoutOf(e.capabilities, x.shape, parameters.bias1.shape[0]!);
    const kept = attend(e, layout, x, parameters, attrs);
    return { ...kept, y: gate(e, layout, x, kept, inputs[10], attrs) };
  },
  saves: [
    ...['x', 'weight1', 'weight2', 'spatial', 'bnWeight', 'y'],
    ...['planes', 'hidden', 'pixels', 'ties', 'logits', 'attention', 'statistics'],
  ],
  backward(e, saved, gy, attrs, want, spare = false) {
    const layout = layoutOf(e.capabilities, saved.x!.shape, saved.weight1!.shape[0]!);
    const { back, gradients } = backThroughGates(e, layout, saved, gy, attrs, want.slice(5, 8), spare);
    const mlp = backThroughMlp(e, layout, saved, back, want.slice(1, 5));
    const gx = want[0] && inputGradient(e, layout, saved, back, mlp.factors, want[0]());
    return [gx, ...mlp.gradients, ...gradients, undefined, undefined, want[10] && back.gz];
  },
  reference([x, ...inputs], attrs) {
    const state = Object.fromEntries(Object.values(PARAMETERS).map((name, i) => [name, inputs[i]!]));
    const { y, ...after } = oracle([x], state, attrs);
    const residual = inputs[9];
    const sum = residual ? add([y, residual]).y : y!;
    return {
      y: activate(sum, attrs),
      ...(attrs.training && {
        runningMean: after['after.spatial_bn.running_mean']!,
        runningVar: after['after.spatial_bn.running_var']!,
      }),
    };
  },
  flops: ([x, weight1]) => 10 * sizeOf(x!) + 8 * x![0]! * sizeOf(weight1!),
  cases: [
    attention([3, 5, 4, 6], 2, { training: true }),
    attention([2, 7, 5, 3], 3, { training: true, activation: 'leaky_relu', slope: 0.2 }, true),
    attention([1, 1, 1, 1], 1, { training: false, activation: 'relu' }, true),
    attention([2, 33, 2, 2], 9, { training: true }, true),
    attention([2, 3, 23, 24], 2, { training: true, activation: 'tanh' }),
    attention([1, 19, 17, 17], 2, { training: false }),
  ],
  bench: [attention([16, 64, 32, 32], 4, { training: true, activation: 'leaky_relu', slope: 0.2 }, true)],
  tolerance: { forward: 2e-5, gradient: 1e-3 },
});

function attention(x: Shape, hidden: number, attrs: CbamAttrs, residual = false): Case<CbamAttrs> {
  const c = x[1]!;
  const parameters = [[hidden, c], [hidden], [c, hidden], [c], [1, 2, 7, 7], [1], [1], [1], [1]];
  return {
    shapes: [x, ...parameters, residual ? x : undefined],
    attrs: { momentum: 0.01, ...attrs },
    fill: { runningVar: 'positive' },
  };
}
