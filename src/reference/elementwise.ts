import { type Array64, flatIndex, forEachIndex, type Inputs, make, map, required, strides } from './array.js';

/** Names of the functions that can also follow a convolution, a linear layer or a batch norm. */
export type Activation =
  | 'none'
  | 'relu'
  | 'relu6'
  | 'leaky_relu'
  | 'sigmoid'
  | 'tanh'
  | 'softplus'
  | 'scaled_hard_sigmoid';

export interface ActivationAttrs {
  activation?: Activation;
  /** Factor of leaky_relu for negative values. */
  slope?: number;
}

/** PyTorch's default negative slope of leaky_relu. */
const DEFAULT_SLOPE = 0.01;

/** The function of an activation. Math.max and Math.min let a NaN through, as PyTorch does. */
export function activationFunction({
  activation = 'none',
  slope = DEFAULT_SLOPE,
}: ActivationAttrs): (x: number) => number {
  switch (activation) {
    case 'none':
      return (x) => x;
    case 'relu':
      return (x) => Math.max(x, 0);
    case 'relu6':
      return (x) => Math.min(Math.max(x, 0), 6);
    case 'leaky_relu':
      return (x) => (x >= 0 ? x : slope * x);
    case 'sigmoid':
      return (x) => 1 / (1 + Math.exp(-x));
    case 'tanh':
      return Math.tanh;
    case 'softplus':
      // log(1 + e^x) without overflow.
      return (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    case 'scaled_hard_sigmoid':
      // relu6(x + 3) / 3, which is 1 at 0 and ranges over 0..2.
      return (x) => Math.min(Math.max(x + 3, 0), 6) / 3;
    default:
      throw new Error(`there is no activation named ${activation satisfies never}`);
  }
}

/** Applies the activation that attrs name, if any. */
export function activate(x: Array64, attrs: ActivationAttrs): Array64 {
  return map(x, activationFunction(attrs));
}

type Unary = (inputs: Inputs) => { y: Array64 };

function unary(activation: Activation): Unary {
  return (inputs) => {
    const [x] = required(inputs, 'x');
    return { y: activate(x, { activation }) };
  };
}

/** [x]: max(x, 0). */
export const relu = unary('relu');
/** [x]: min(max(x, 0), 6). */
export const relu6 = unary('relu6');
/** [x]: 1 / (1 + e^-x). */
export const sigmoid = unary('sigmoid');
/** [x]: the hyperbolic tangent. */
export const tanh = unary('tanh');
/** [x]: log(1 + e^x). */
export const softplus = unary('softplus');
/** [x]: relu6(x + 3) / 3. */
export const scaledHardSigmoid = unary('scaled_hard_sigmoid');

/** [x]: x where x >= 0, else slope * x. */
export function leakyRelu(inputs: Inputs, { slope = DEFAULT_SLOPE }: { slope?: number } = {}): { y: Array64 } {
  const [x] = required(inputs, 'x');
  return { y: activate(x, { activation: 'leaky_relu', slope }) };
}

/** The shape that two shapes broadcast to: aligned at their last dimensions, an extent of 1 repeats. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let dim = 0; dim < rank; dim++) {
    const extentA = a[dim - (rank - a.length)] ?? 1;
    const extentB = b[dim - (rank - b.length)] ?? 1;
    if (extentA !== extentB && extentA !== 1 && extentB !== 1) {
      throw new Error(`the shapes [${a}] and [${b}] do not broadcast`);
    }
    shape.push(extentA === 1 ? extentB : extentA);
  }
  return shape;
}

/** Strides with which an array of `shape` is read at indices of the broadcast shape: 0 where it repeats. */
function broadcastStrides(shape: readonly number[], rank: number): number[] {
  const steps = strides(shape).map((step, dim) => (shape[dim] === 1 ? 0 : step));
  return [...Array<number>(rank - shape.length).fill(0), ...steps];
}

type Binary = (inputs: Inputs) => { y: Array64 };

function binary(f: (a: number, b: number) => number): Binary {
  return (inputs) => {
    const [a, b] = required(inputs, 'a', 'b');
    const y = make(broadcastShape(a.shape, b.shape));
    const stepsA = broadcastStrides(a.shape, y.shape.length);
    const stepsB = broadcastStrides(b.shape, y.shape.length);
    forEachIndex(y.shape, (index, flat) => {
      y.data[flat] = f(a.data[flatIndex(index, stepsA)], b.data[flatIndex(index, stepsB)]);
    });
    return { y };
  };
}

/** [a, b]: a + b, broadcast. */
export const add = binary((a, b) => a + b);
/** [a, b]: a - b, broadcast. */
export const sub = binary((a, b) => a - b);
/** [a, b]: a * b, broadcast. */
export const mul = binary((a, b) => a * b);
/** [a, b]: a / b, broadcast. */
export const div = binary((a, b) => a / b);

export interface DropoutAttrs {
  /** Probability of dropping, in [0, 1). */
  p: number;
}

/** [x, mask]: x * mask / (1 - p). The mask has x's shape: 1 keeps, 0 drops; see dropoutMask in random.ts. */
export function dropout(inputs: Inputs, { p }: DropoutAttrs): { y: Array64 } {
  const [x, mask] = required(inputs, 'x', 'mask');
  return { y: map(mul([x, mask]).y, (value) => value / (1 - p)) };
}
