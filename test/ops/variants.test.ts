/** Every variant of a product that some CPU adapter would choose, or could be told to by a tuning, whatever this one chooses. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import type { Capabilities } from '../../src/kernel/choose.js';
import { Engine } from '../../src/kernel/engine.js';
import { conv2d } from '../../src/ops/conv2d.js';
import type { Op } from '../../src/ops/define.js';
import { checkOp, comparePlans, PRODUCTS } from './plans.js';

const DEVICES: Record<string, Partial<Capabilities>> = {
  'this device': {},
  'a CPU without subgroups': { software: true, lanes: 0 },
};

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu();
});

afterAll(() => gpu?.close());

describe.each(Object.entries(DEVICES))('as on %s', (_name, assumed) => {
  it.each(PRODUCTS)('%s by rule is what the oracle says', (_op, op) => checkOp(new Engine(gpu, assumed), op));

  it.each(PRODUCTS)('%s by every other plan is the same, and the same bits twice', async (_op, op) => {
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
