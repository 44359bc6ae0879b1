/** The way back through bias and activation, in one piece and in parts, beyond what the records of conv2d and linear test. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compare } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { sizeOf, type Tensor } from '../../src/memory/tensor.js';
import { channelLayout } from '../../src/ops/channels.js';
import { epilogueGradient } from '../../src/ops/epilogue.js';
import { normal } from '../../src/reference/random.js';

const DEVICES = {
  'a software adapter': { software: true, lanes: 0 as const },
  'a GPU': { software: false, lanes: 0 as const },
};

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu();
});

afterAll(() => gpu?.close());

const RELU = { activation: 'relu' } as const;

/** gz and gbias of relu at y, and how many parts a channel was cut into. */
async function backThrough(e: Engine, shape: number[], y: Float32Array, gy: Float32Array) {
  const inputs = [e.upload(y, shape), e.upload(gy, shape)] as [Tensor, Tensor];
  const { gz, gbias } = epilogueGradient(e, ...inputs, RELU, () => e.empty([shape[1]!]));
  const values = { gz: await e.read(gz), gbias: await e.read(gbias!) };
  for (const tensor of [...inputs, gz, gbias!]) e.release(tensor);
  return { ...values, parts: channelLayout(e.capabilities, shape).cut.parts };
}

it.each(
  Object.entries(DEVICES).flatMap(([device, assumed]) => [
    [device, [3, 5, 7, 3], false, assumed] as const,
    [device, [6, 4], false, assumed] as const,
    [device, [2, 1, 160, 128], true, assumed] as const,
  ]),
)('as on %s, %s', async (_device, shape, inParts, assumed) => {
  const e = new Engine(gpu, assumed);
  const [n, channels] = shape as [number, number];
  const size = sizeOf(shape);
  const y = Float32Array.from(normal(1, 0, size), (v) => Math.max(v, 0));
  const gy = Float32Array.from(normal(1, 1, size));
  const found = await backThrough(e, [...shape], y, gy);
  const gz = gy.map((g, i) => (y[i]! > 0 ? g : 0));
  expect(found.gz.map((g) => g || 0)).toEqual(gz); // -0 is as good
  const plane = size / n / channels;
  const gbias = new Float64Array(channels);
  gz.forEach((g, i) => {
    gbias[Math.floor(i / plane) % channels]! += g;
  });
  expect(compare('gbias', found.gbias, gbias, [channels]).error).toBeLessThan(1e-6);
  expect(found.parts > 1).toBe(inParts);
});

it('a bias whose gradients cancel gets zero, not what rounding left', async () => {
  for (const assumed of Object.values(DEVICES)) {
    const e = new Engine(gpu, assumed);
    const shape = [2, 1, 320, 128];
    const half = sizeOf(shape) / 2;
    const values = normal(2, 0, half);
    const gy = Float32Array.from({ length: 2 * half }, (_, i) => (i < half ? values[i]! : -values[i - half]!));
    const { gbias, parts } = await backThrough(e, shape, new Float32Array(2 * half).fill(1), gy);
    expect(parts).toBeGreaterThan(1);
    expect(gbias[0]).toBe(0);
  }
});
