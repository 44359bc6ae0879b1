/** A network's parameters in f16: every one of them the nearest to its master in f32, whenever it changes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { fromHalf, toHalf } from '../../src/memory/half.js';
import { Generator } from '../../src/models/generator.js';
import { Network } from '../../src/nn/network.js';
import { affine } from '../../src/ops/elementwise.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

/** Parameters of 1 to 576 values: within a block, of several, and of an odd number of them. */
const generator = () => new Generator({ classes: 3, channels: 1, latent: 7, base: 4, widths: [8, 5] });

async function expectNearest(network: Network<Generator>): Promise<void> {
  for (const { name, parameter } of network.module.parameters()) {
    const copy = network.copies!.get(parameter.tensor)!;
    const values = await e.read(parameter.tensor);
    expect(copy, name).toMatchObject({ dtype: 'f16', shape: parameter.shape });
    expect(await e.read(copy), name).toEqual(fromHalf(toHalf(values).subarray(0, values.length)));
  }
}

it('follows its parameters, from the beginning, after a load, and after an update in one dispatch', async ({
  skip,
}) => {
  if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
  const [network, other] = [new Network(e, generator(), 1, { half: true }), new Network(e, generator(), 2)];
  await expectNearest(network);
  network.load(await other.state());
  await expectNearest(network);
  affine(e, other.values, 3, 0, network.values);
  const before = e.counters().dispatches;
  network.refreshCopies();
  expect(e.counters().dispatches - before).toBe(1);
  await expectNearest(network);
  for (const each of [network, other]) each.destroy();
  expect(e.memory().inUse).toBe(0);
});

it('is there only where it was asked for', () => {
  const network = new Network(e, generator(), 1);
  expect(network.copies).toBeUndefined();
  const before = e.counters().dispatches;
  network.refreshCopies();
  expect(e.counters().dispatches).toBe(before);
  network.destroy();
});
