/** Works of ops' cases, and their results by one plan or another: what tests of kernel variants have in common. */
import { expect } from 'vitest';
import { checkCase, compare, describeCase } from '../../src/autograd/check.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import type { Plan } from '../../src/kernel/choose.js';
import type { Engine, Work } from '../../src/kernel/engine.js';
import { worksOf } from '../../src/kernel/works.js';
import { type DType, sizeOf, type Tensor } from '../../src/memory/tensor.js';
import { conv2d, convTranspose2d } from '../../src/ops/conv2d.js';
import type { Case, Op } from '../../src/ops/define.js';
import { linear, matmul } from '../../src/ops/matmul.js';
import { normal } from '../../src/reference/random.js';

/** The ops that are matrix products. */
export const PRODUCTS = ([conv2d, convTranspose2d, linear, matmul] as unknown as Op[]).map(
  (op) => [op.name, op] as const,
);

/** Every case of an op against its oracle. */
export async function checkOp(engine: Engine, op: Op): Promise<void> {
  for (const test of op.cases) {
    const { forward, gradient, deterministic } = await checkCase(engine, op, test);
    expect(forward.error, `${describeCase(op, test)}: ${forward.where}`).toBeLessThan(op.tolerance.forward);
    expect(gradient?.error, `${describeCase(op, test)}: ${gradient?.where}`).toBeLessThan(op.tolerance.gradient);
    expect(deterministic).toBe(true);
  }
  expect(engine.memory().inUse).toBe(0);
}

/** Every work of the cases, forward and backward, on tensors of one type. */
export function worksOfCases(e: Engine, op: Op, cases: readonly Case<object>[], dtype: DType): Work[] {
  const works = worksOf(e, (dry) => {
    for (const test of cases) dry.scope(() => forwardAndBackward(dry, op, test, dtype));
  });
  expect(works.length).toBeGreaterThan(cases.length);
  return works.map(({ work }) => work);
}

function forwardAndBackward(e: Engine, op: Op, { shapes, attrs }: Case<object>, dtype: DType): null {
  const inputs = shapes.map((shape) => shape && e.empty(shape, dtype));
  const tape = new Tape(e, new Gradients(inputs.filter((input) => input !== undefined)));
  const y = tape.apply(op, inputs, attrs);
  tape.backward(y, e.empty(y.shape, y.dtype));
  return null;
}

/** Random numbers for a work's inputs. */
export const inputsOf = (e: Engine, work: Work): Tensor[] =>
  work.tensors
    .slice(0, -1)
    .map(({ shape, dtype }, i) => e.upload(Float32Array.from(normal(3, i, sizeOf(shape))), shape, dtype));

/** The work's result by a plan. */
export async function result(e: Engine, work: Work, inputs: readonly Tensor[], plan: Plan): Promise<Float32Array> {
  const { shape, dtype } = work.tensors.at(-1)!;
  const y = e.empty(shape, dtype);
  work.run(e, plan, [...inputs, y]);
  const values = await e.read(y);
  e.release(y);
  return values;
}

/** Does every work of the cases by each plan that the device can run, and compares with that of the rule. */
export async function comparePlans(
  e: Engine,
  op: Op,
  cases: readonly Case<object>[],
  dtype: DType,
  tolerance: number,
): Promise<void> {
  const tested = new Map<string, number>();
  for (const work of worksOfCases(e, op, cases, dtype)) {
    const inputs = inputsOf(e, work);
    const [rule, ...others] = work.candidates(e.capabilities, Number.POSITIVE_INFINITY);
    const expected = await result(e, work, inputs, rule!);
    for (const plan of others) {
      // Compiling takes the time here: each plan of a kernel is tried on a few shapes, not on all.
      const variant = `${work.name.split(' ', 1)[0]}, ${plan.name}`;
      const times = tested.get(variant) ?? 0;
      tested.set(variant, times + 1);
      if (times >= 3) continue;
      const first = await result(e, work, inputs, plan);
      const { error, where } = compare(`${work.name}, ${plan.name}`, first, expected, [expected.length]);
      expect(error, where).toBeLessThan(tolerance);
      expect(await result(e, work, inputs, plan), plan.name).toEqual(first);
    }
  }
}
