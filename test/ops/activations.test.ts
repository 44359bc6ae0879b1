/** What activations make of values that are no numbers, which the ops' records do not draw. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import * as activations from '../../src/ops/activations.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

it.each(Object.values(activations).map((op) => [op.name, op] as const))(
  '%s keeps NaN, and has an end at infinity',
  async (_name, op) => {
    const x = e.upload(Float32Array.of(Number.NaN, -Infinity, Infinity, -1, Number.NaN), [5]);
    const { y } = op.forward(e, [x], {}, [5]);
    const values = await e.read(y);
    expect([...values].map(Number.isNaN)).toEqual([true, false, false, false, true]);
    expect(values[2]).toBeGreaterThanOrEqual(1);
    expect(values[1]).toBeLessThanOrEqual(0);
  },
);
