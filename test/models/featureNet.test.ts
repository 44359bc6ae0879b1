/** The feature network: its shapes at all sizes, and what it pays no heed to. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { FeatureNet } from '../../src/models/featureNet.js';
import { Network } from '../../src/nn/network.js';

let gpu: Gpu;
let e: Engine;
beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});
afterAll(() => gpu?.close());

it.each([
  [8, 2],
  [32, 4],
  [128, 5],
  [256, 5],
])('at %i pixels it has %i stages, and as many features as are asked for', (size, stages) => {
  const { module } = new Network(e, new FeatureNet({ classes: 3, channels: 1, size, features: 10 }), 1);
  const images = e.upload(new Float32Array(2 * size * size).fill(0.3), [2, 1, size, size]);
  expect(module.eval().features(new Tape(e), images).shape).toEqual([2, 10]);
  expect(module.forward(new Tape(e), images).shape).toEqual([2, 3]);
  const convolutions = [...module.parameters()].filter(({ name }) => name.endsWith('conv.weight'));
  expect(convolutions).toHaveLength(stages);
});

it('finds a song alike wherever in the window it lies, but not at another pitch', async () => {
  const size = 32;
  const { module } = new Network(e, new FeatureNet({ classes: 2, channels: 1, size, features: 16 }), 1);
  const spot = (row: number, column: number): Float32Array =>
    Float32Array.from({ length: size * size }, (_, i) => {
      const [y, x] = [Math.floor(i / size), i % size];
      return Math.abs(y - row) < 2 && Math.abs(x - column) < 2 ? 1 : -1;
    });
  const images = Float32Array.from([...spot(10, 8), ...spot(10, 16), ...spot(20, 8)]);
  const values = await e.read(module.eval().features(new Tape(e), e.upload(images, [3, 1, size, size])));
  const distance = (a: number, b: number): number =>
    Math.hypot(...Array.from({ length: 16 }, (_, j) => values[16 * a + j]! - values[16 * b + j]!));
  expect(distance(0, 1)).toBeLessThan(0.3 * distance(0, 2));
});
