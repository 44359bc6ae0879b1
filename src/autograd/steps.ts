/**
 * A forward pass as the list of ops that it applies (tracer.ts), in float64 and op by op on the GPU. It tells a network from
 * its rounding: the one says what the network means, the other whether each kernel does its part of it.
 */
import type { Engine } from '../kernel/engine.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { inputName } from '../ops/define.js';
import { type Array64, fromFloat32 } from '../reference/array.js';
import { compare, type Worst } from './check.js';
import { release } from './storages.js';
import { Tape } from './tape.js';
import type { Step } from './tracer.js';

/** Values by the tensors that a tracer was given, or gave. */
export type Values = ReadonlyMap<Tensor, Array64>;

/** What a step reads, in the order of its op's inputs; undefined where an optional one is not given. */
const operands = ({ op, inputs }: Step, values: Values): (Array64 | undefined)[] =>
  inputs.map((input, i) => {
    const value = input && values.get(input);
    if (input && !value) throw new Error(`${op.name}: its input ${inputName(op.inputs[i]!)} has no values`);
    return value;
  });

/**
 * What a step's op gives by its float64 reference: the tensors that it writes, by name, and their values. Statistics of which the
 * reference says nothing stay what they are, as in evaluation.
 */
function referenceOf(step: Step, values: Values): { name: string; tensor: Tensor; value: Array64 }[] {
  const { op, inputs, attrs, y } = step;
  const results = op.reference(operands(step, values), attrs);
  const updated = op.updates.flatMap((name) => {
    const tensor = inputs[op.inputs.map(inputName).indexOf(name)];
    return tensor ? [{ name, tensor, value: results[name] ?? values.get(tensor)! }] : [];
  });
  return [{ name: op.output, tensor: y, value: results[op.output]! }, ...updated];
}

/** The values of all tensors after the steps, each computed by its op's float64 reference. `given`: of inputs and parameters. */
export function evaluate(steps: readonly Step[], given: Values): Map<Tensor, Array64> {
  const values = new Map(given);
  for (const step of steps) {
    for (const { tensor, value } of referenceOf(step, values)) values.set(tensor, value);
  }
  return values;
}

/** How far a step is from its op's reference on the GPU. */
export interface StepError {
  /** The largest, relative to the largest value, and where it is. */
  readonly worst: Worst;
  /** What the op's record allows. */
  readonly tolerance: number;
}

/**
 * Computes the steps on the GPU, and compares each result with the reference of the very numbers that the kernels read:
 * errors of earlier steps do not count. `given` are the values of inputs and parameters as they lie there; buffers are
 * overwritten.
 */
export async function compareSteps(e: Engine, steps: readonly Step[], given: Values): Promise<StepError[]> {
  const values = new Map(given);
  const tape = new Tape(e);
  const computed = new Map<Tensor, Tensor>();
  const onGpu = (tensor: Tensor): Tensor => computed.get(tensor) ?? tensor;
  const errors: StepError[] = [];
  for (const [i, step] of steps.entries()) {
    const { op, inputs, attrs, y } = step;
    const expected = referenceOf(step, values);
    const given = inputs.map((input) => input && onGpu(input));
    computed.set(y, tape.apply(op, given, attrs));
    for (const { name, tensor, value } of expected) {
      const actual = (await e.read(onGpu(tensor))).subarray(0, sizeOf(tensor.shape));
      const worst = compare(`operation ${i + 1}, ${op.name}, ${name}`, actual, value.data, value.shape, 1e-3);
      errors.push({ worst, tolerance: op.tolerance.forward });
      values.set(tensor, fromFloat32(tensor.shape, actual));
    }
  }
  const own = steps.filter(({ op }) => !op.view).map(({ y }) => computed.get(y)!);
  release(e, own);
  return errors;
}
