/** Dynamic loss scaling: it rises, falls, skips steps bit for bit, and makes no difference otherwise. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/autograd/check.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { mul } from '../../src/ops/elementwise.js';
import { sum } from '../../src/ops/reduce.js';
import { createLossScale, type LossScale } from '../../src/optim/lossScale.js';
import { createOptimizer, type Optimizer, type OptimizerAttrs, type OptimizerKind } from '../../src/optim/optimizer.js';
import { type OptimizerStep, optimizerState, optimizers } from '../../src/reference/optimizers.js';
import { normal } from '../../src/reference/random.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const SIZE = 67;
const draw = (stream: number, scale = 1): Float32Array =>
  Float32Array.from(normal(17, stream, SIZE), (value) => Math.fround(value) * scale);

const ATTRS: OptimizerAttrs = {
  adam: { lr: 0.01, beta1: 0.5 },
  adamw: { lr: 0.01, beta1: 0, weightDecay: 0.1 },
  sgd: { lr: 0.1, momentum: 0.9 },
  rmsprop: { lr: 0.01, momentum: 0.5 },
};
const KINDS = Object.keys(ATTRS) as OptimizerKind[];

interface SetUp {
  readonly values: Tensor;
  readonly gradients: Tensor;
  readonly optimizer: Optimizer;
}

function setUp(kind: OptimizerKind, lossScale?: LossScale): SetUp {
  const values = e.upload(draw(0), [SIZE]);
  const gradients = e.empty([SIZE]);
  const optimizer = createOptimizer(e, kind, [{ values, gradients }], ATTRS[kind], lossScale);
  return { values, gradients, optimizer };
}

/** All that a step may change, but the loss scale. */
const everything = ({ values, optimizer }: SetUp): Promise<Float32Array[]> =>
  Promise.all([values, ...Object.values(optimizer.state())].map((tensor) => e.read(tensor)));

/** Scale, steps since it changed, steps skipped. */
const read = async ({ state }: LossScale): Promise<number[]> => [...(await e.read(state))].slice(0, 3);

describe.each(KINDS)('%s', (kind) => {
  it('makes the same steps under every scale', async () => {
    const plain = setUp(kind);
    const lossScale = createLossScale(e, { initial: 2 ** 10 });
    const scaled = setUp(kind, lossScale);
    for (let t = 1; t <= 4; t++) {
      e.write(plain.gradients, draw(t));
      e.write(scaled.gradients, draw(t, 2 ** 10));
      plain.optimizer.update(e);
      scaled.optimizer.update(e);
    }
    const [expected, actual] = [await everything(plain), await everything(scaled)];
    // Adam corrects its bias on the GPU, where it does not know how many steps were made, with the last bits its own.
    const exact = kind === 'sgd' || kind === 'rmsprop';
    expect(compare('values', actual[0]!, expected[0]!, [SIZE]).error).toBeLessThanOrEqual(exact ? 0 : 1e-6);
    expect(actual.slice(1)).toEqual(expected.slice(1));
  });

  it.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])(
    'skips a step with a gradient of %f, bit for bit, and halves the scale',
    async (bad) => {
      const lossScale = createLossScale(e, { initial: 8 });
      const it = setUp(kind, lossScale);
      e.write(it.gradients, draw(1));
      it.optimizer.update(e);
      expect(await read(lossScale)).toEqual([8, 1, 0]);
      const before = await everything(it);
      e.write(it.gradients, draw(2).with(SIZE - 1, bad));
      it.optimizer.update(e);
      expect(await everything(it)).toEqual(before);
      expect(await read(lossScale)).toEqual([4, 0, 1]);
      e.write(it.gradients, draw(2));
      it.optimizer.update(e);
      expect(await everything(it)).not.toEqual(before);
      expect(await read(lossScale)).toEqual([4, 1, 1]);
    },
  );

  it('counts no step that was skipped', async () => {
    const lossScale = createLossScale(e, { initial: 1, backoff: 0.5 });
    const it = setUp(kind, lossScale);
    const expected = { param: Float64Array.from(draw(0)), state: optimizerState(SIZE) };
    const step = optimizers[kind] as OptimizerStep<object>;
    let scale = 1;
    for (let t = 1; t <= 7; t++) {
      // The first two steps overflow, and the fifth.
      const overflows = t < 3 || t === 5;
      e.write(it.gradients, overflows ? draw(t).fill(Number.POSITIVE_INFINITY) : draw(t, scale));
      it.optimizer.update(e);
      if (overflows) scale /= 2;
      else step(expected.param, Float64Array.from(draw(t)), expected.state, ATTRS[kind]);
    }
    const { error, where } = compare('values', await e.read(it.values), expected.param, [SIZE]);
    expect(error, where).toBeLessThan(1e-6);
    expect(await read(lossScale)).toEqual([1 / 8, 2, 3]);
  });
});

it('rises after enough good steps, from the last change on', async () => {
  const lossScale = createLossScale(e, { initial: 2, growth: 4, interval: 3 });
  const { gradients, optimizer } = setUp('sgd', lossScale);
  const seen: number[] = [];
  for (let t = 1; t <= 10; t++) {
    e.write(gradients, t === 5 ? draw(t).fill(Number.NaN) : draw(t));
    optimizer.update(e);
    seen.push((await read(lossScale))[0]!);
  }
  expect(seen).toEqual([2, 2, 8, 8, 4, 4, 4, 16, 16, 16]);
});

it('stays where floating-point numbers have room', async () => {
  const [rising, falling] = [
    createLossScale(e, { initial: 2 ** 31, interval: 1 }),
    createLossScale(e, { initial: 2 ** -15 }),
  ];
  for (const [lossScale, gradient] of [
    [rising, 1],
    [falling, Number.POSITIVE_INFINITY],
  ] as const) {
    const { gradients, optimizer } = setUp('sgd', lossScale);
    e.write(gradients, new Float32Array(SIZE).fill(gradient));
    for (let t = 0; t < 3; t++) optimizer.update(e);
  }
  expect([(await read(rising))[0], (await read(falling))[0]]).toEqual([2 ** 32, 2 ** -16]);
});

it('finds what does not fit in gradients beyond the binding limit, too', async () => {
  const windowed = new Engine(gpu, { bindingBytes: 256 });
  const lossScale = createLossScale(windowed, { initial: 8 });
  const values = windowed.upload(draw(0), [SIZE]);
  const gradients = windowed.upload(draw(1).with(SIZE - 1, Number.NaN), [SIZE]);
  const optimizer = createOptimizer(windowed, 'sgd', [{ values, gradients }], { lr: 1 }, lossScale);
  optimizer.update(windowed);
  expect(await windowed.read(values)).toEqual(draw(0));
  expect([...(await windowed.read(lossScale.state))].slice(0, 3)).toEqual([4, 0, 1]);
  expect(windowed.compiledKernels().some((key) => /^find_overflow.*WINDOWS=2-1/.test(key))).toBe(true);
});

it('goes on from what was saved', async () => {
  const lossScale = createLossScale(e, { interval: 3 });
  e.write(lossScale.state, Float32Array.of(32, 2, 5, 0));
  const { gradients, optimizer } = setUp('sgd', lossScale);
  e.write(gradients, draw(1));
  optimizer.update(e);
  expect(await read(lossScale)).toEqual([64, 0, 5]);
});

it('finds its scale by itself in mixed precision, and then keeps gradients that f16 alone would lose', async ({
  skip,
}) => {
  if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
  // Of both factors, the gradient of each is the other's value times 1e-6: below f16's least number for the smaller ones.
  const values = e.upload(Float32Array.of(0.01, 0.02, 30, 40), [4]);
  const factor = e.upload(Float32Array.of(0.004, 0.008, 16, 8), [4]);
  const weight = e.upload(Float32Array.of(1e-6), []);
  const place = e.empty([4]);
  const targets = new Gradients([values], () => place);
  const lossScale = createLossScale(e, { initial: 2 ** 32 });
  const optimizer = createOptimizer(e, 'sgd', [{ values, gradients: place }], { lr: 1 }, lossScale);
  const before = await e.read(values);
  let steps = 0;
  for (; (await e.read(values)).every((value, i) => value === before[i]); steps++) {
    targets.clear();
    const tape = new Tape(e, targets, { halves: new Map() });
    const loss = tape.apply(sum, [tape.apply(mul, [values, factor], {})], {});
    tape.backward(loss, lossScale.scaled(e, weight));
    optimizer.update(e);
    expect(steps).toBeLessThan(40);
  }
  const [scale, good, skipped] = await read(lossScale);
  // The largest gradient, 16e-6 times the scale, fits into f16 at last, and the smallest is no zero.
  expect([scale, good, skipped]).toEqual([2 ** (32 - (steps - 1)), 1, steps - 1]);
  expect(16e-6 * scale!).toBeLessThanOrEqual(65504);
  expect(32e-6 * scale!).toBeGreaterThan(65504);
  const gradients = (await e.read(place)).map((value) => value / scale!);
  [0.004e-6, 0.008e-6, 16e-6, 8e-6].forEach((expected, i) => {
    expect(gradients[i]! / expected).toBeCloseTo(1, 2);
  });
});

it.each([
  [{ initial: 3 }, 'initial must be a power of two, not 3'],
  [{ backoff: 2 }, 'cannot grow by 2, fall by 2'],
  [{ interval: 0 }, 'change after 0 steps'],
])('refuses %j', (attrs, message) => {
  expect(() => createLossScale(e, attrs)).toThrow(message);
});
