/**
 * Checks of an op against its float64 oracle: the forward pass value by value, the gradient against central differences
 * of the oracle, and both for being bit-equal from run to run.
 */
import type { Engine } from '../kernel/engine.js';
import { fromHalf, toHalf } from '../memory/half.js';
import { formatShape, type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import { type Case, type Fill, inputName, type Op, updatedInputs } from '../ops/define.js';
import { type Array64, make } from '../reference/array.js';
import { gradient as differences } from '../reference/finiteDifference.js';
import { normal, uniform } from '../reference/random.js';
import type { HalfCopies } from './halves.js';
import { Gradients, Tape } from './tape.js';

/** The worst error of a check: relative to the largest expected value, and where it was. */
export interface Worst {
  readonly error: number;
  readonly where: string;
}

const EXACT: Worst = { error: 0, where: '' };

export const worse = (a: Worst, b: Worst): Worst => (b.error > a.error || Number.isNaN(b.error) ? b : a);

/**
 * max |actual - expected| / max(max |expected|, floor), and at which index. A NaN is an infinite error.
 * The floor keeps a tensor of zeros from asking for exact zeros.
 */
export function compare(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  shape: Shape,
  floor = 0,
): Worst {
  if (actual.length !== expected.length)
    return { error: Number.POSITIVE_INFINITY, where: `${name}: ${actual.length} values for ${expected.length}` };
  const scale = Math.max(largest(expected), floor, 1e-30);
  let error = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (difference > error || Number.isNaN(difference)) {
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
      at = i;
    }
    if (error === Number.POSITIVE_INFINITY) break;
  }
  const relative = Number.isFinite(scale) ? error / scale : Number.POSITIVE_INFINITY;
  return { error: relative, where: `${name}[${indexOf(at, shape)}] = ${actual[at]}, expected ${expected[at]}` };
}

export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

function indexOf(flat: number, shape: Shape): string {
  const index: number[] = [];
  let rest = flat;
  for (const extent of [...shape].reverse()) {
    index.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return index.join(', ');
}

/** Test data of one case: the same for the same op and case, in float32 values so that both sides see the same numbers. */
export function caseInputs(op: Op, test: Case<object>, seed = 1): (Array64 | undefined)[] {
  return op.inputs.map((name, i) => {
    const shape = test.shapes[i];
    return shape && drawn(shape, test.fill?.[inputName(name)], seed, i);
  });
}

function drawn(shape: Shape, fill: Fill | undefined, seed: number, stream: number): Array64 {
  const count = sizeOf(shape);
  const values =
    fill === 'unit' || typeof fill === 'object' ? uniform(seed, stream, count) : normal(seed, stream, count);
  const shaped = values.map((v) => {
    if (fill === 'positive') return Math.abs(v) + 0.5;
    if (fill === 'nonzero') return v + Math.sign(v || 1);
    return typeof fill === 'object' ? Math.floor(v * fill.below) : v;
  });
  return make([...shape], shaped.map(Math.fround));
}

/** A case as a title: shapes and attributes. */
export function describeCase(op: Op, test: Case<object>): string {
  const attrs = JSON.stringify(test.attrs);
  return `${op.name} ${test.shapes.map((s) => (s ? formatShape(s) : 'none')).join(' ')}${attrs === '{}' ? '' : ` ${attrs}`}`;
}

function uploadInputs(
  e: Engine,
  op: Op,
  test: Case<object>,
  inputs: readonly (Array64 | undefined)[],
): (Tensor | undefined)[] {
  return inputs.map((input, i) => {
    if (!input) return undefined;
    const integer = typeof test.fill?.[inputName(op.inputs[i]!)] === 'object';
    return e.upload(integer ? Int32Array.from(input.data) : Float32Array.from(input.data), input.shape);
  });
}

export interface CheckResult {
  readonly forward: Worst;
  /** Undefined for an op without gradient. */
  readonly gradient: Worst | undefined;
  /** Whether a second run gave the same bits. */
  readonly deterministic: boolean;
}

/** Central differences taken per input; more elements than this are sampled evenly. */
const DIFFERENCES_PER_INPUT = 40;

/** Runs one case of an op twice and compares it with the oracle. */
export async function checkCase(e: Engine, op: Op, test: Case<object>): Promise<CheckResult> {
  const inputs = caseInputs(op, test);
  const [first, second] = [await runCase(e, op, test, inputs), await runCase(e, op, test, inputs)];
  return compared(op, test, inputs, [first, second], 1e-6);
}

/** Greatest errors of an op in f16: what it adds to those of the record's own tolerance. Stored values have 11 bits. */
export function halfTolerance({ tolerance: { forward, gradient } }: Op): Op['tolerance'] {
  return { forward: forward + 2 ** -10, gradient: gradient + 2 ** -8 };
}

/**
 * The same in mixed precision, of inputs that f16 can hold: the gradient is compared with that of the oracle, and all of it
 * with the op's own in f32. Needs an op with inputs that may be stored in f16, and the device's `f16`.
 */
export async function checkHalfCase(e: Engine, op: Op, test: Case<object>): Promise<CheckResult> {
  const inputs = caseInputs(op, test).map((input, i) => {
    return input && inputName(op.inputs[i]!) in op.half ? make(input.shape, fromHalf(halfBits(input.data))) : input;
  });
  const [first, second] = [
    await runCase(e, op, test, inputs, NO_COPIES),
    await runCase(e, op, test, inputs, NO_COPIES),
  ];
  // Below its normal numbers, f16 has fewer digits: that is what loss scaling is for.
  const least = 2 ** -14;
  const result = compared(op, test, inputs, [first, second], least);
  if (!result.gradient) return result;
  const single = await runCase(e, op, test, inputs);
  const floor = floorOf(single.gradients, least);
  const gradient = single.gradients.reduce((worst, expected, i) => {
    const name = `d/d${inputName(op.inputs[i]!)} against that in f32: `;
    const actual = first.gradients[i];
    return expected && actual ? worse(worst, compare(name, actual, expected, inputs[i]!.shape, floor)) : worst;
  }, result.gradient);
  return { ...result, gradient };
}

const NO_COPIES: HalfCopies = new Map();

/** The bits of the nearest numbers of f16, without padding. */
const halfBits = (values: ArrayLike<number>): Uint16Array => toHalf(values).subarray(0, values.length);

function compared(
  op: Op,
  test: Case<object>,
  inputs: readonly (Array64 | undefined)[],
  [first, second]: readonly [Run, Run],
  least: number,
): CheckResult {
  const oracle = op.reference(inputs, test.attrs);
  let forward = EXACT;
  for (const [name, expected] of Object.entries(oracle)) {
    const actual = first.outputs[name];
    if (actual) forward = worse(forward, compare(name, actual, expected.data, expected.shape, 1e-3));
    else forward = { error: Number.POSITIVE_INFINITY, where: `${name} is missing` };
  }
  return {
    forward,
    gradient: op.backward && gradientError(op, test, inputs, first, least),
    deterministic: sameBits(first, second),
  };
}

/** What one run of a case gave. */
export interface Run {
  readonly outputs: Readonly<Record<string, Float32Array>>;
  readonly gradients: readonly (Float32Array | undefined)[];
  readonly cotangent: Float64Array;
}

/** Runs one case of an op forward and, where it has a gradient, back, and reads everything. */
export async function runCase(
  e: Engine,
  op: Op,
  test: Case<object>,
  inputs = caseInputs(op, test),
  halves?: HalfCopies,
): Promise<Run> {
  const tensors = uploadInputs(e, op, test, inputs);
  const differentiable = tensors.filter((t): t is Tensor => t?.dtype === 'f32');
  const gradients = new Gradients(op.backward ? differentiable : []);
  const tape = new Tape(e, gradients, { halves });
  const y = tape.apply(op, tensors, test.attrs);
  // Numbers of f16, so that runs in either precision see the same.
  const cotangent = fromHalf(halfBits(normal(2, 0, sizeOf(y.shape))));
  const gy = e.upload(cotangent, y.shape, y.dtype);
  if (op.backward) tape.backward(y, gy);
  const outputs: Record<string, Float32Array> = { [op.output]: await e.read(y) };
  for (const [name, tensor] of updatedInputs(op, tensors)) outputs[name] = await e.read(tensor);
  const read: (Float32Array | undefined)[] = [];
  for (const tensor of tensors) {
    const gradient = tensor && gradients.of(tensor);
    read.push(gradient && (await e.read(gradient)));
  }
  const storages = new Set([...tensors, gy, y, ...tensors.map((t) => t && gradients.of(t))].map((t) => t?.storage));
  for (const tensor of [...tensors, gy, y, ...tensors.map((t) => t && gradients.of(t))]) {
    if (tensor && storages.delete(tensor.storage)) e.release(tensor);
  }
  return { outputs, gradients: read, cotangent: Float64Array.from(cotangent) };
}

/** What errors are relative to at least: a thousandth of the largest value of all, and `least`. */
const floorOf = (all: readonly (ArrayLike<number> | undefined)[], least: number): number =>
  Math.max(least, ...all.map((values) => (values ? 1e-3 * largest(values) : 0)));

function gradientError(
  op: Op,
  test: Case<object>,
  inputs: readonly (Array64 | undefined)[],
  run: Run,
  least: number,
): Worst {
  const after = inputs.map((input, i) => {
    // What forward updates in place (u and v of a spectral norm) is held fixed at its new value where the oracle says so.
    const updated = op.differenced && run.outputs[inputName(op.inputs[i]!)];
    return input && updated && op.updates.includes(inputName(op.inputs[i]!)) ? make(input.shape, updated) : input;
  });
  const oracle = op.differenced ?? op.reference;
  const loss = (): number => {
    const { data } = oracle(after, test.attrs)[op.output]!;
    return data.reduce((total, value, i) => total + value * run.cotangent[i]!, 0);
  };
  const names = op.inputs.map(inputName);
  const expected = run.gradients.map(
    (actual, i) => actual && sampledDifferences(loss, after[i]!, DIFFERENCES_PER_INPUT),
  );
  const floor = floorOf(
    expected.map((sampled) => sampled?.values),
    least,
  );
  let worst = EXACT;
  run.gradients.forEach((gradient, i) => {
    const sampled = expected[i];
    if (gradient && sampled) {
      const actual = sampled.elements.map((at) => gradient[at]!);
      worst = worse(worst, compare(`d/d${names[i]}`, actual, sampled.values, [actual.length], floor));
    } else if (inputs[i] && typeof test.fill?.[names[i]!] !== 'object' && !op.updates.includes(names[i]!)) {
      worst = { error: Number.POSITIVE_INFINITY, where: `d/d${names[i]} is missing` };
    }
  });
  return worst;
}

/** Central differences of f, which reads `input`, by evenly chosen elements of it. */
export function sampledDifferences(
  f: () => number,
  input: Array64,
  most: number,
): { elements: number[]; values: Float64Array } {
  const { data } = input;
  const count = Math.min(data.length, most);
  const elements = Array.from({ length: count }, (_, i) => Math.floor((i * data.length) / count));
  const values = differences(
    (moved) => {
      input.data = moved;
      const value = f();
      input.data = data;
      return value;
    },
    data,
    elements,
    // Networks have thousands of kinks: a short step crosses few of them.
    1e-6,
  );
  return { elements, values };
}

export function sameBits(a: Run, b: Run): boolean {
  const pairs = [
    ...Object.keys(a.outputs).map((name) => [a.outputs[name], b.outputs[name]]),
    ...a.gradients.map((g, i) => [g, b.gradients[i]]),
  ];
  return pairs.every(
    ([left, right]) => left === right || (left && right && left.every((v, i) => Object.is(v, right[i]))),
  );
}
