/** Every variant of a kernel that some device would choose, or could be told to by a tuning, whatever this one chooses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCase, compare, describeCase } from '../../src/autograd/check.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import type { Capabilities } from '../../src/kernel/choose.js';
import { Engine, type Work } from '../../src/kernel/engine.js';
import { worksOf } from '../../src/kernel/works.js';
import { type DType, sizeOf, type Tensor } from '../../src/memory/tensor.js';
import { conv2d, convTranspose2d } from '../../src/ops/conv2d.js';
import type { Case, Op } from '../../src/ops/define.js';
import { linear, matmul } from '../../src/ops/matmul.js';
import { normal } from '../../src/reference/random.js';

const DEVICES: Record<string, Partial<Capabilities>> = {
  'this device': {},
  'a CPU without subgroups': { software: true, lanes: 0 },
  'a GPU': { software: false, lanes: 0 },
};
const OPS = ([conv2d, convTranspose2d, linear, matmul] as unknown as Op[]).map((op) => [op.name, op] as const);

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu();
});

afterAll(() => gpu?.close());

describe.each(Object.entries(DEVICES))('as on %s', (_name, assumed) => {
  it.each(OPS)('%s by rule is what the oracle says', async (_op, op) => {
    const engine = new Engine(gpu, assumed);
    for (const test of op.cases) {
      const { forward, gradient, deterministic } = await checkCase(engine, op, test);
      expect(forward.error, `${describeCase(op, test)}: ${forward.where}`).toBeLessThan(op.tolerance.forward);
      expect(gradient?.error, `${describeCase(op, test)}: ${gradient?.where}`).toBeLessThan(op.tolerance.gradient);
      expect(deterministic).toBe(true);
    }
    expect(engine.memory().inUse).toBe(0);
  });

  it.each(OPS)('%s by every other plan is the same, and the same bits twice', async (_op, op) => {
    await comparePlans(new Engine(gpu, assumed), op, op.cases, 'f32', op.tolerance.forward);
  });

  it('conv2d on tensors of f16, too', async ({ skip }) => {
    const engine = new Engine(gpu, assumed);
    if (!engine.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    // Aligned and not, with three channels, with one output channel, depthwise.
    const cases = [0, 3, 12, 14].map((i) => conv2d.cases[i]!);
    await comparePlans(engine, conv2d as unknown as Op, cases, 'f16', 2e-3);
  });
});

/** Does every work of the cases, forward and backward, by each of its plans, and compares with that of the rule. */
async function comparePlans(
  e: Engine,
  op: Op,
  cases: readonly Case<object>[],
  dtype: DType,
  tolerance: number,
): Promise<void> {
  const works = worksOf(e, (dry) => {
    for (const test of cases) dry.scope(() => forwardAndBackward(dry, op, test, dtype));
  });
  expect(works.length).toBeGreaterThan(cases.length);
  const tested = new Map<string, number>();
  for (const { work } of works) {
    const inputs = work.tensors
      .slice(0, -1)
      .map((tensor, i) => e.upload(Float32Array.from(normal(3, i, sizeOf(tensor.shape))), tensor.shape, tensor.dtype));
    const [rule, ...others] = work.candidates(e.capabilities);
    const expected = await e.read(result(e, work, inputs, rule!.name));
    for (const { name } of others) {
      // Compiling takes the time here: each plan of a kernel is tried on a few shapes, not on all.
      const variant = `${work.name.split(' ', 1)[0]}, ${name}`;
      const times = tested.get(variant) ?? 0;
      tested.set(variant, times + 1);
      if (times >= 3) continue;
      const first = await e.read(result(e, work, inputs, name));
      const { error, where } = compare(`${work.name}, ${name}`, first, expected, [expected.length]);
      expect(error, where).toBeLessThan(tolerance);
      expect(await e.read(result(e, work, inputs, name)), name).toEqual(first);
    }
  }
}

function forwardAndBackward(e: Engine, op: Op, { shapes, attrs }: Case<object>, dtype: DType): null {
  const inputs = shapes.map((shape) => shape && e.empty(shape, dtype));
  const tape = new Tape(e, new Gradients(inputs.filter((input) => input !== undefined)));
  const y = tape.apply(op, inputs, attrs);
  tape.backward(y, e.empty(y.shape, y.dtype));
  return null;
}

/** The work's result by the plan of that name. */
function result(e: Engine, work: Work, inputs: readonly Tensor[], name: string): Tensor {
  const { shape, dtype } = work.tensors.at(-1)!;
  const y = e.empty(shape, dtype);
  work.run(e, work.candidates(e.capabilities).find((plan) => plan.name === name)!, [...inputs, y]);
  return y;
}
