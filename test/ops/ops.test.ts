/** Every op of the registry against its float64 oracle: forward, gradient, and the same bits twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCase, describeCase } from '../../src/autograd/check.js';
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

for (const op of ops) {
  describe(op.name, () => {
    it.each(op.cases.map((test) => [describeCase(op, test), test] as const))('%s', async (_title, test) => {
      const result = await checkCase(engine, op, test);
      expect(result.forward.error, result.forward.where).toBeLessThan(op.tolerance.forward);
      expect(result.gradient?.error ?? 0, result.gradient?.where).toBeLessThan(op.tolerance.gradient);
      expect(result.deterministic).toBe(true);
    });
  });
}

it('gives all memory back', () => {
  expect(engine.memory().inUse).toBe(0);
});
