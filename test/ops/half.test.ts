/** Every op that can store f16, in mixed precision: against its float64 oracle, its own gradient in f32, and itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkHalfCase, describeCase, halfTolerance } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { ops } from '../../src/ops/index.js';

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
});

afterAll(() => gpu?.close());

for (const op of ops.filter(({ half }) => Object.keys(half).length > 0)) {
  describe(op.name, () => {
    const cases = op.cases.map((test) => [describeCase(op, test), test] as const);
    it.for(cases)('%s', async ([, test], { skip }) => {
      if (!engine.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
      const result = await checkHalfCase(engine, op, test);
      const tolerance = halfTolerance(op);
      expect(result.forward.error, result.forward.where).toBeLessThan(tolerance.forward);
      expect(result.gradient?.error ?? 0, result.gradient?.where).toBeLessThan(tolerance.gradient);
      expect(result.deterministic).toBe(true);
    });
  });
}

it('computes in f16, and gives all memory back', () => {
  expect(engine.compiledKernels().some((kernel) => kernel.includes('vec4h'))).toBe(engine.capabilities.f16);
  expect(engine.memory().inUse).toBe(0);
});
