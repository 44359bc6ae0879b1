/** Every variant of a kernel that some device would choose, or could be told to by a tuning, whatever this one chooses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCase, compare, describeCase } from '../../src/autograd/check.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import type { Capabilities } from '../../src/kernel/choose.js';
import { Engine, type Work } from '../../src/kernel/engine.js';
import { worksOf } from '../../src/kernel/works.js';
import { sizeOf, type Tensor } from '../../src/memory/tensor.js';
import { conv2d, convTranspose2d } from '../../src/ops/conv2d.js';
import type { Op } from '../../src/ops/define.js';
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
    const engine = new Engine(gpu, assumed);
    const works = worksOf(engine, (dry) => {
      for (const test of op.cases) dry.scope(() => forwardAndBackward(dry, op, test.shapes as number[][], test.attrs));
    });
    expect(works.length).toBeGreaterThan(op.cases.length);
    const tested = new Map<string, number>();
    for (const { work } of works) {
      const inputs = work.tensors
        .slice(0, -1)
        .map(({ shape }, i) => engine.upload(Float32Array.from(normal(3, i, sizeOf(shape))), shape));
      const [rule, ...others] = work.candidates(engine.capabilities);
      const expected = await engine.read(result(engine, work, inputs, rule!.name));
      for (const { name } of others) {
        // Compiling takes the time here: each plan of a kernel is tried on a few shapes, not on all.
        const variant = `${work.name.split(' ', 1)[0]}, ${name}`;
        const times = tested.get(variant) ?? 0;
        tested.set(variant, times + 1);
        if (times >= 3) continue;
        const [first, second] = [
          await engine.read(result(engine, work, inputs, name)),
          await engine.read(result(engine, work, inputs, name)),
        ];
        const { error, where } = compare(`${work.name}, ${name}`, first, expected, [expected.length]);
        expect(error, where).toBeLessThan(op.tolerance.forward);
        expect(first, name).toEqual(second);
      }
    }
  });
});

function forwardAndBackward(e: Engine, op: Op, shapes: readonly number[][], attrs: object): null {
  const inputs = shapes.map((shape) => shape && e.empty(shape));
  const tape = new Tape(e, new Gradients(inputs.filter((input) => input !== undefined)));
  const y = tape.apply(op, inputs, attrs);
  tape.backward(y, e.empty(y.shape));
  return null;
}

/** The work's result by the plan of that name. */
function result(e: Engine, work: Work, inputs: readonly Tensor[], name: string): Tensor {
  const y = e.empty(work.tensors.at(-1)!.shape);
  work.run(e, work.candidates(e.capabilities).find((plan) => plan.name === name)!, [...inputs, y]);
  return y;
}
