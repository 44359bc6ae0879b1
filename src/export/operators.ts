/**
 * What each op is in ONNX (opset 17): a function that adds the nodes and gives the result's name. To let networks with a
 * further op be exported, add it here.
 */
import type { Shape, Tensor } from '../memory/tensor.js';
import type { Activation, ActivationAttrs } from '../ops/activation.js';
import { leakyRelu, relu, relu6, scaledHardSigmoid, sigmoid, softplus, tanh } from '../ops/activations.js';
import { batchNorm } from '../ops/batchNorm.js';
import { cbam } from '../ops/cbam.js';
import { conv2d, convTranspose2d } from '../ops/conv2d.js';
import type { ConvolutionAttrs } from '../ops/convolution.js';
import { dimOf, type Op } from '../ops/define.js';
import { add, div, mul, sub } from '../ops/elementwise.js';
import { embedding } from '../ops/embedding.js';
import { linear, matmul } from '../ops/matmul.js';
import { modulate } from '../ops/modulate.js';
import { adaptiveAvgPool2d, avgPool2d, maxPool2d, type Pool2dAttrs } from '../ops/pooling.js';
import { max, mean, type ReduceAttrs, sum } from '../ops/reduce.js';
import { concat, permute, reshape, slice } from '../ops/shape.js';
import { upsampleNearest } from '../ops/upsample.js';
import { upsampleConv2d } from '../ops/upsampleConv2d.js';
import type { Graph, Value } from './graph.js';
import type { Attribute } from './onnx.js';

/** Adds an op's nodes; the name of its result. */
export type Operator = (g: Graph, inputs: readonly (Value | undefined)[], attrs: object) => string;

type Values<I extends readonly (Tensor | undefined)[]> = {
  readonly [K in keyof I]: undefined extends I[K] ? Value | undefined : Value;
};

/** Ties an operator to the inputs and attributes of its op, which a map of many cannot. */
const operator = <A extends object, I extends readonly (Tensor | undefined)[]>(
  op: Op<A, I>,
  emit: (g: Graph, inputs: Values<I>, attrs: A) => string,
): [string, Operator] => [op.name, emit as unknown as Operator];

const ACTIVATIONS: Readonly<Record<Activation, (g: Graph, x: string, slope: number) => string>> = {
  none: (_g, x) => x,
  relu: (g, x) => g.node('Relu', [x]),
  leaky_relu: (g, x, slope) => g.node('LeakyRelu', [x], { alpha: { float: slope } }),
  tanh: (g, x) => g.node('Tanh', [x]),
  sigmoid: (g, x) => g.node('Sigmoid', [x]),
  softplus: (g, x) => g.node('Softplus', [x]),
  relu6: (g, x) => g.node('Clip', [x, g.floats([0], []), g.floats([6], [])]),
  // relu6(x + 3) / 3 = 2 min(1, max(0, x / 6 + 1 / 2))
  scaled_hard_sigmoid: (g, x) => {
    const half = g.node('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
    return g.node('Mul', [half, g.floats([2], [])]);
  },
};

const activate = (g: Graph, x: string, { activation = 'none', slope = 0.01 }: ActivationAttrs): string =>
  ACTIVATIONS[activation](g, x, slope);

const activationOperator = (op: Op<{ slope?: number }, readonly [Tensor]>, activation: Activation) =>
  operator(op, (g, [x], { slope }) => activate(g, x.name, { activation, ...(slope !== undefined && { slope }) }));

/** Names of the given inputs; what is not given at the end is left out. */
const names = (...values: readonly (Value | undefined)[]): string[] =>
  values.flatMap((value) => (value ? [value.name] : []));

/** [top, left, bottom, right] */
const pads = ([height, width]: readonly [number, number] = [0, 0]): number[] => [height, width, height, width];

const convolution = ({ stride = [1, 1], padding, dilation = [1, 1], groups = 1 }: ConvolutionAttrs) => ({
  strides: stride,
  pads: pads(padding),
  dilations: dilation,
  group: groups,
});

/** Each pixel scale x scale times. */
const repeated = (g: Graph, x: Value, scale: number): string =>
  g.node('Resize', [x.name, '', g.floats([1, 1, scale, scale])], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });

const poolWindow = ({ kernel, stride = kernel, padding }: Pool2dAttrs) => ({
  kernel_shape: kernel,
  strides: stride,
  pads: pads(padding),
});

const arithmetic = (op: Op<object, readonly [Tensor, Tensor]>, name: string) =>
  operator(op, (g, [a, b]) => g.node(name, [a.name, b.name]));

/** Dimensions to reduce, none meaning all, as the op's record has them. */
const reduction = (x: Value, { dims = [], keepDims = false }: ReduceAttrs) => ({
  axes: dims.length > 0 ? dims : x.shape.map((_, i) => i),
  keepdims: keepDims ? 1 : 0,
});

const attributeReduction = (op: Op<ReduceAttrs, readonly [Tensor]>, name: string) =>
  operator(op, (g, [x], attrs) => g.node(name, [x.name], reduction(x, attrs)));

/** The first extent, where it stays, is that of the input, whatever it is: so the number of images is not fixed. */
const reshapeTo = (g: Graph, x: Value, shape: Shape): string =>
  g.node('Reshape', [x.name, g.ints([shape[0] === x.shape[0] ? 0 : shape[0]!, ...shape.slice(1)])]);

const sliceOf = (g: Graph, x: string, dim: number, start: number, length: number): string =>
  g.node('Slice', [x, g.ints([start]), g.ints([start + length]), g.ints([dim])]);

const lastTwoSwapped = (g: Graph, x: Value): string => {
  const dims = x.shape.map((_, i) => i);
  return g.node('Transpose', [x.name], { perm: [...dims.slice(0, -2), dims.at(-1)!, dims.at(-2)!] });
};

/** Means of windows as a matrix [outputs, inputs]: output i averages the inputs floor(i n / m) to ceil((i + 1) n / m) - 1. */
function averaging(outputs: number, inputs: number): number[][] {
  return Array.from({ length: outputs }, (_, i) => {
    const [start, end] = [Math.floor((i * inputs) / outputs), Math.ceil(((i + 1) * inputs) / outputs)];
    return Array.from({ length: inputs }, (_, j) => (j >= start && j < end ? 1 / (end - start) : 0));
  });
}

const transposed = (matrix: readonly number[][]): number[][] => matrix[0]!.map((_, j) => matrix.map((row) => row[j]!));

const batchNormalization = (
  g: Graph,
  [x, weight, bias, mean, variance]: readonly [string, string, string, string, string],
  eps: number,
): string => g.node('BatchNormalization', [x, weight, bias, mean, variance], { epsilon: { float: eps } });

const EPS = 1e-5;

export const operators: ReadonlyMap<string, Operator> = new Map([
  operator(conv2d, (g, [x, weight, bias], attrs) =>
    activate(g, g.node('Conv', names(x, weight, bias), convolution(attrs)), attrs),
  ),
  operator(convTranspose2d, (g, [x, weight, bias], { outputPadding = [0, 0], ...attrs }) => {
    const attributes: Record<string, Attribute> = { ...convolution(attrs), output_padding: outputPadding };
    return activate(g, g.node('ConvTranspose', names(x, weight, bias), attributes), attrs);
  }),
  operator(upsampleConv2d, (g, [x, weight, bias]) => {
    const padding = (weight.shape[2]! - 1) / 2;
    const attributes = convolution({ padding: [padding, padding] });
    return g.node('Conv', [repeated(g, x, 2), ...names(weight, bias)], attributes);
  }),
  operator(linear, (g, [x, weight, bias], attrs) => {
    if (x.shape.length === 2) return activate(g, g.node('Gemm', names(x, weight, bias), { transB: 1 }), attrs);
    const z = g.node('MatMul', [x.name, lastTwoSwapped(g, weight)]);
    return activate(g, bias ? g.node('Add', [z, bias.name]) : z, attrs);
  }),
  operator(matmul, (g, [a, b], { transposeA, transposeB }) =>
    g.node('MatMul', [transposeA ? lastTwoSwapped(g, a) : a.name, transposeB ? lastTwoSwapped(g, b) : b.name]),
  ),
  operator(batchNorm, (g, [x, weight, bias, mean, variance], { eps = EPS, ...attrs }) => {
    const all = (value: number): string => g.floats(new Array<number>(x.shape[1]!).fill(value));
    const [scale, shift] = [weight?.name ?? all(1), bias?.name ?? all(0)];
    return activate(g, batchNormalization(g, [x.name, scale, shift, mean.name, variance.name], eps), attrs);
  }),
  operator(modulate, (g, [x, factors], attrs) => {
    const channels = x.shape[1]!;
    const perChannel = (start: number): string => {
      const part = { name: sliceOf(g, factors.name, 1, start, channels), shape: [x.shape[0]!, channels] };
      return reshapeTo(g, part, [...part.shape, ...x.shape.slice(2).map(() => 1)]);
    };
    const scaled = g.node('Mul', [x.name, perChannel(0)]);
    return activate(g, g.node('Add', [scaled, perChannel(channels)]), attrs);
  }),
  operator(cbam, (g, inputs, attrs) => attention(g, inputs, attrs)),
  activationOperator(relu, 'relu'),
  activationOperator(relu6, 'relu6'),
  activationOperator(leakyRelu, 'leaky_relu'),
  activationOperator(sigmoid, 'sigmoid'),
  activationOperator(tanh, 'tanh'),
  activationOperator(softplus, 'softplus'),
  activationOperator(scaledHardSigmoid, 'scaled_hard_sigmoid'),
  operator(add, (g, [a, b], attrs) => activate(g, g.node('Add', [a.name, b.name]), attrs)),
  arithmetic(sub, 'Sub'),
  arithmetic(mul, 'Mul'),
  arithmetic(div, 'Div'),
  operator(sum, (g, [x], attrs) => {
    const { axes, keepdims } = reduction(x, attrs);
    return g.node('ReduceSum', [x.name, g.ints(axes)], { keepdims });
  }),
  attributeReduction(mean, 'ReduceMean'),
  attributeReduction(max, 'ReduceMax'),
  operator(upsampleNearest, (g, [x], { scale }) => repeated(g, x, scale)),
  operator(concat, (g, [a, b], { dim }) => g.node('Concat', [a.name, b.name], { axis: dim })),
  operator(reshape, (g, [x], { shape }) => reshapeTo(g, x, shape)),
  operator(permute, (g, [x], { dims }) =>
    g.node('Transpose', [x.name], { perm: dims.map((dim) => dimOf('permute', dim, x.shape)) }),
  ),
  operator(slice, (g, [x], { dim, start, length }) => sliceOf(g, x.name, dim, start, length)),
  operator(embedding, (g, [weight, indices, factor]) => {
    const rows = g.node('Gather', [weight.name, indices.name], { axis: 0 });
    return factor ? g.node('Mul', [rows, factor.name]) : rows;
  }),
  operator(maxPool2d, (g, [x], attrs) => g.node('MaxPool', [x.name], poolWindow(attrs))),
  operator(avgPool2d, (g, [x], attrs) =>
    g.node('AveragePool', [x.name], { ...poolWindow(attrs), count_include_pad: 1 }),
  ),
  // ONNX has no adaptive pools. Where windows differ, a matrix from the left averages rows, one from the right columns.
  operator(adaptiveAvgPool2d, (g, [x], { outputSize: [height, width] }) => {
    const [, , h, w] = x.shape as [number, number, number, number];
    if (h % height === 0 && w % width === 0) {
      const kernel = [h / height, w / width] as const;
      return g.node('AveragePool', [x.name], poolWindow({ kernel }));
    }
    const rows = g.node('MatMul', [g.floats(averaging(height, h).flat(), [height, h]), x.name]);
    return g.node('MatMul', [rows, g.floats(transposed(averaging(width, w)).flat(), [w, width])]);
  }),
]);

/** CBAM and the end of its block: see ops/cbam.ts for the formula. */
function attention(g: Graph, inputs: readonly (Value | undefined)[], attrs: ActivationAttrs): string {
  const [x, weight1, bias1, weight2, bias2, spatial, bnWeight, bnBias, runningMean, runningVar] = inputs as Value[];
  const residual = inputs[10];
  const mlp = (pooled: string): string => {
    const hidden = g.node('Relu', [g.node('Gemm', [pooled, weight1!.name, bias1!.name], { transB: 1 })]);
    return g.node('Gemm', [hidden, weight2!.name, bias2!.name], { transB: 1 });
  };
  const pooled = (op: string): string => g.node(op, [x!.name], { axes: [2, 3], keepdims: 0 });
  const logits = g.node('Add', [mlp(pooled('ReduceMean')), mlp(pooled('ReduceMax'))]);
  const [n, channels] = x!.shape as [number, number];
  const gate = { name: g.node('Sigmoid', [logits]), shape: [n, channels] };
  const gated = g.node('Mul', [x!.name, reshapeTo(g, gate, [n, channels, 1, 1])]);
  const overChannels = (op: string): string => g.node(op, [gated], { axes: [1], keepdims: 1 });
  const pair = g.node('Concat', [overChannels('ReduceMax'), overChannels('ReduceMean')], { axis: 1 });
  const [height, width] = spatial!.shape.slice(2) as [number, number];
  const map = g.node('Conv', [pair, spatial!.name], { pads: pads([(height - 1) / 2, (width - 1) / 2]) });
  const statistics = [bnWeight!.name, bnBias!.name, runningMean!.name, runningVar!.name] as const;
  const attended = g.node('Sigmoid', [batchNormalization(g, [map, ...statistics], EPS)]);
  const y = g.node('Mul', [gated, attended]);
  return activate(g, residual ? g.node('Add', [y, residual.name]) : y, attrs);
}
