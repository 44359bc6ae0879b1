import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { bceWithLogits, crossEntropy } from '../../src/ops/loss.js';

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
});

afterAll(() => gpu?.close());

it('cross_entropy neither overflows nor loses digits with huge logits', async () => {
  // Rows of logits 1e5 apart from zero whose own differences are small.
  const logits = engine.upload(Float32Array.of(1e5, 1e5 + 1, -1e5, -1e5, 300, -300), [3, 2]);
  const labels = engine.upload(Int32Array.of(0, 1, 1), [3]);
  const gradients = new Gradients([logits]);
  const tape = new Tape(engine, gradients);
  const loss = tape.apply(crossEntropy, [logits, labels], {});
  const [value] = await engine.read(loss);
  expect(value).toBeCloseTo((Math.log(1 + Math.E) + Math.LN2 + 600) / 3, 4);
  tape.backward(loss);
  const gradient = await engine.read(gradients.of(logits)!);
  const p = 1 / (1 + Math.E);
  [p - 1, 1 - p, 0.5, -0.5, 1, -1].forEach((g, i) => {
    expect(gradient[i]).toBeCloseTo(g / 3, 6);
  });
});

it('cross_entropy leaves out a class that a logit of -inf rules out', async () => {
  const logits = engine.upload(Float32Array.of(0, Number.NEGATIVE_INFINITY, 0), [1, 3]);
  const gradients = new Gradients([logits]);
  const tape = new Tape(engine, gradients);
  const loss = tape.apply(crossEntropy, [logits, engine.upload(Int32Array.of(2), [1])], {});
  expect((await engine.read(loss))[0]).toBeCloseTo(Math.LN2, 6);
  tape.backward(loss);
  expect([...(await engine.read(gradients.of(logits)!))]).toEqual([0.5, 0, -0.5]);
});

it('cross_entropy takes a label that is no class for the nearest one', async () => {
  const logits = engine.upload(Float32Array.of(1, 2, 4, 8), [2, 2]);
  const losses = await Promise.all(
    [Int32Array.of(-7, 9), Int32Array.of(0, 1)].map((labels) => {
      const loss = new Tape(engine).apply(crossEntropy, [logits, engine.upload(labels, [2])], {});
      return engine.read(loss);
    }),
  );
  expect(losses[0]).toEqual(losses[1]);
});

it('bce_with_logits keeps the small losses of certain answers', async () => {
  const logits = engine.upload(Float32Array.of(30, -30), [2]);
  const targets = engine.upload(Float32Array.of(1, 0), [2]);
  const loss = new Tape(engine).apply(bceWithLogits, [logits, targets], {});
  const [value] = await engine.read(loss);
  expect(value! / Math.exp(-30)).toBeCloseTo(1, 4);
});

it('losses say which shapes do not fit', () => {
  expect(() => crossEntropy.shape([[3, 2], [2]], {})).toThrow(
    'cross_entropy: labels must have one element per row of logits; the shapes are [2] and [3, 2]',
  );
  expect(() => bceWithLogits.shape([[3], [3, 1]], {})).toThrow(
    'bce_with_logits: targets must have the shape of logits',
  );
});
