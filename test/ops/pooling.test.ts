import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { maxPool2d } from '../../src/ops/pooling.js';

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
});

afterAll(() => gpu?.close());

describe('max_pool2d', () => {
  it('gives the gradient to the first of equal values, window by window', async () => {
    const x = engine.upload(new Float32Array(9).fill(-2), [1, 1, 3, 3]);
    const gradients = new Gradients([x]);
    const tape = new Tape(engine, gradients);
    const y = tape.apply(maxPool2d, [x], { kernel: [2, 2], stride: [1, 1] });
    tape.backward(y, engine.upload(Float32Array.of(1, 10, 100, 1000), [1, 1, 2, 2]));
    expect([...(await engine.read(gradients.of(x)!))]).toEqual([1, 10, 0, 100, 1000, 0, 0, 0, 0]);
  });

  it('never lets padding win', async () => {
    const x = engine.upload(new Float32Array(4).fill(-5), [1, 1, 2, 2]);
    const y = new Tape(engine).apply(maxPool2d, [x], { kernel: [3, 3], padding: [1, 1] });
    expect([...(await engine.read(y))]).toEqual([-5]);
  });

  it.each([
    [{ kernel: [3, 3], padding: [2, 0] }, 'padding [2,0] must be at most half of the kernel [3,3]'],
    [{ kernel: [5, 1] }, 'kernel [5,1] must fit into the padded x; the shapes are [1, 1, 4, 4]'],
    [{ kernel: [0, 1] }, 'kernel [0,1] must be two whole numbers of at least 1'],
  ] as const)('refuses %j', (attrs, message) => {
    expect(() => maxPool2d.shape([[1, 1, 4, 4]], attrs)).toThrow(message);
  });
});
