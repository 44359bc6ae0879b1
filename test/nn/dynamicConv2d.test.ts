/** The two forms of a dynamic convolution. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compare } from '../../src/autograd/check.js';
import { Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { sizeOf } from '../../src/memory/tensor.js';
import { DynamicConv2d, type DynamicConv2dOptions } from '../../src/nn/dynamicConv2d.js';
import { Network } from '../../src/nn/network.js';
import { normal } from '../../src/reference/random.js';

let gpu: Gpu;
let e: Engine;
beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});
afterAll(() => gpu?.close());

it.each<[string, number, DynamicConv2dOptions]>([
  ['3 x 3', 3, { padding: 1 }],
  ['3 x 3, strided, with bias and activation', 3, { padding: 1, stride: 2, bias: true, activation: 'relu' }],
  ['1 x 1, of a single pool', 1, { pool: 1, latent: 4 }],
])('folded into a kernel an image it gives the same: %s', async (_title, kernel, options) => {
  const network = new Network(e, new DynamicConv2d(6, 10, kernel, options), 1);
  // Batch norms that do something.
  const state = [...(await network.state())].map(([name, { shape, data }], i) => {
    const noise = normal(2, i, data.length);
    const shift = name.endsWith('running_var') ? (z: number) => Math.abs(z) : (z: number) => 0.5 * z;
    return [name, { shape, data: /bn_/.test(name) ? data.map((value, j) => value + shift(noise[j]!)) : data }] as const;
  });
  network.load(new Map(state));
  const shape = [3, 6, 7, 5];
  const x = e.upload(Float32Array.from(normal(3, 0, sizeOf(shape))), shape);
  network.module.eval();
  const expected = network.module.forward(new Tape(e), x);
  const folded = network.module.forwardFolded(new Tape(e), x);
  expect(folded.shape).toEqual(expected.shape);
  const { error, where } = compare('y', await e.read(folded), await e.read(expected), expected.shape, 0);
  expect(error, where).toBeLessThan(1e-5);
});

it('is folded in evaluation only', () => {
  const network = new Network(e, new DynamicConv2d(4, 4, 3, { padding: 1 }), 1);
  expect(() => network.module.forwardFolded(new Tape(e), e.empty([2, 4, 5, 5]))).toThrow('in evaluation only');
});
