/** Every variant of the GEMM core against the oracle, whatever this device would choose. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCase, describeCase } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import type { Capabilities } from '../../src/kernel/choose.js';
import { Engine } from '../../src/kernel/engine.js';
import { conv2d, convTranspose2d } from '../../src/ops/conv2d.js';
import type { Op } from '../../src/ops/define.js';
import { linear, matmul } from '../../src/ops/matmul.js';

const VARIANTS: Record<string, Partial<Capabilities>> = {
  'lib/gemm_registers': { software: true, lanes: 0 },
  'lib/gemm_shared': { software: false, lanes: 0 },
};
const GEMM_OPS = [conv2d, convTranspose2d, linear, matmul] as unknown as Op[];

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu();
});

afterAll(() => gpu?.close());

describe.each(Object.entries(VARIANTS))('%s', (core, assumed) => {
  it.each(GEMM_OPS.map((op) => [op.name, op] as const))('%s', async (_name, op) => {
    const engine = new Engine(gpu, assumed);
    for (const test of op.cases) {
      const result = await checkCase(engine, op, test);
      expect(result.forward.error, `${describeCase(op, test)}: ${result.forward.where}`).toBeLessThan(
        op.tolerance.forward,
      );
      expect(result.gradient?.error, `${describeCase(op, test)}: ${result.gradient?.where}`).toBeLessThan(
        op.tolerance.gradient,
      );
      expect(result.deterministic).toBe(true);
    }
    expect(engine.compiledKernels().some((key) => key.includes(core))).toBe(true);
    expect(engine.memory().inUse).toBe(0);
  });
});
