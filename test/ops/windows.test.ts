/** Tensors beyond the binding limit: every op gives the same bits as with tensors that fit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeCase, runCase, sameBits } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { paddedBytes, type Shape } from '../../src/memory/tensor.js';
import { relu } from '../../src/ops/activations.js';
import type { Case, Op } from '../../src/ops/define.js';
import { fill } from '../../src/ops/elementwise.js';
import { ops } from '../../src/ops/index.js';

let gpu: Gpu;
let ordinary: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  ordinary = new Engine(gpu);
});

afterAll(() => gpu?.close());

const bytesOf = (op: Op, { shapes, attrs }: Case<object>): number[] =>
  [...shapes, op.shape(shapes, attrs)].map((shape: Shape | undefined) => (shape ? paddedBytes(shape, 'f32') : 0));

/** The case with the largest tensor, of those that leave an adapter of 12 bindings enough of them. */
function testOf(op: Op) {
  const cases = op.cases.map((test) => {
    const bytes = bytesOf(op, test);
    const most = Math.max(...bytes);
    return { test, most, large: bytes.filter((size) => size > most / 2).length };
  });
  return cases.filter(({ large }) => large <= 2).sort((a, b) => b.most - a.most)[0]!;
}

describe('in two windows', () => {
  const tests = ops.map((op) => ({ op, ...testOf(op) })).filter(({ most }) => most > 256);
  it.each(tests.map((one) => [describeCase(one.op, one.test), one] as const))('%s', async (_, { op, test, most }) => {
    const engine = new Engine(gpu, { bindingBytes: Math.ceil(most / 512) * 256 });
    expect(sameBits(await runCase(engine, op, test), await runCase(ordinary, op, test))).toBe(true);
    if (!op.view) expect(engine.compiledKernels().some((key) => key.includes('WINDOWS='))).toBe(true);
  });
});

it('in four windows', async () => {
  const engine = new Engine(gpu, { bindingBytes: 256 });
  const test = { shapes: [[4, 63]], attrs: {} };
  const op = relu as unknown as Op;
  expect(sameBits(await runCase(engine, op, test), await runCase(ordinary, op, test))).toBe(true);
});

it('more windows than a kernel may bind are refused in words', () => {
  const engine = new Engine(gpu, { bindingBytes: 2 ** 20 });
  const x = engine.empty([2 ** 23]);
  expect(() => fill(engine, x, 1)).toThrow(
    /shows a kernel at most \d+ pieces of memory of 1.0 MiB, and fill would need 32\. Use a smaller batch/,
  );
  engine.release(x);
});
