/**
 * A forward pass as the list of ops that it applies (tracer.ts), in float64 and op by op on the GPU. It tells a network from
 * its rounding: the one says what the network means, the other whether each kernel does its part of it.
 */
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { inputName, type Op, updatedInputs } from '../ops/define.js';
import { type Array64, fromFloat32 } from '../reference/array.js';
import { compare, largest, type Worst } from './check.js';
import { release } from './storages.js';
import { Tape } from './tape.js';
import type { Call, Step } from './tracer.js';

/** Values by the tensors that a tracer was given, or gave. */
export type Values = ReadonlyMap<Tensor, Array64>;

/** What an op reads, in the order of its inputs; undefined where an optional one is not given. */
const operands = (op: Op, { inputs }: Call, values: Values): (Array64 | undefined)[] =>
  inputs.map((input, i) => {
    const value = input && values.get(input);
    if (input && !value) throw new Error(`${op.name}: its input ${inputName(op.inputs[i]!)} has no values`);
    return value;
  });

interface Written {
  readonly name: string;
  readonly tensor: Tensor;
  readonly value: Array64;
}

/**
 * The tensors that a call of an op writes, by name, and their values by its float64 reference. Statistics of which the reference
 * says nothing stay what they are, as in evaluation.
 */
function referenceOf({ op, attrs }: Step, call: Call, values: Values): Written[] {
  const results = op.reference(operands(op, call, values), attrs);
  const updated = updatedInputs(op, call.inputs).map(([name, tensor]) => {
    return { name, tensor, value: results[name] ?? values.get(tensor)! };
  });
  return [{ name: op.output, tensor: call.y, value: results[op.output]! }, ...updated];
}

/**
 * The values of all tensors after the steps, each computed by its op's float64 reference. `given`: of inputs and parameters.
 * `stored` gives what later steps read of a value; by default the value itself.
 */
export function evaluate(
  steps: readonly Step[],
  given: Values,
  stored: (tensor: Tensor, value: Array64) => Array64 = (_, value) => value,
): Map<Tensor, Array64> {
  const values = new Map([...given].map(([tensor, value]) => [tensor, stored(tensor, value)]));
  for (const step of steps) {
    for (const call of step.calls) {
      for (const { tensor, value } of referenceOf(step, call, values)) values.set(tensor, stored(tensor, value));
    }
  }
  return values;
}

/** How far a result of an op is from its reference on the GPU. */
export interface StepError {
  /** The largest error, relative to the largest value of the result, or a thousandth of that of the op's first input. */
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
    const { op, attrs, calls } = step;
    const expected = calls.map((call) => referenceOf(step, call, values));
    const floors = calls.map(({ inputs: [first] }) => 1e-3 * (first ? largest(values.get(first)!.data) : 0));
    const results = tape.applyEach(
      op,
      calls.map(({ inputs }) => inputs.map((input) => input && onGpu(input))),
      attrs,
    );
    calls.forEach(({ y }, c) => {
      computed.set(y, results[c]!);
    });
    for (const [c, written] of expected.entries()) {
      for (const { name, tensor, value } of written) {
        const actual = await e.read(onGpu(tensor));
        const where = `operation ${i + 1}, ${op.name}, ${name}`;
        errors.push({
          worst: compare(where, actual, value.data, value.shape, floors[c]),
          tolerance: op.tolerance.forward,
        });
        values.set(tensor, fromFloat32(tensor.shape, actual));
      }
    }
  }
  const own = steps.filter(({ op }) => !op.view).flatMap(({ calls }) => calls.map(({ y }) => computed.get(y)!));
  release(e, own);
  return errors;
}
