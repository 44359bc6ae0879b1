/** Optimisers, averages and clipping on the GPU against their float64 oracles. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { clipGradients } from '../../src/optim/clip.js';
import { updateEma } from '../../src/optim/ema.js';
import { createOptimizer, type Optimizer, type OptimizerAttrs, type OptimizerKind } from '../../src/optim/optimizer.js';
import { type OptimizerStep, optimizerState, optimizers } from '../../src/reference/optimizers.js';
import { normal } from '../../src/reference/random.js';
import { readCases } from '../reference/referenceCases.js';

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
});

afterAll(() => gpu?.close());

const draw = (stream: number, size: number, scale = 1): Float32Array =>
  Float32Array.from(normal(11, stream, size), (value) => scale * value);

type Case = { readonly [K in OptimizerKind]: readonly [K, OptimizerAttrs[K]] }[OptimizerKind];

const CASES: readonly Case[] = [
  ['adam', { lr: 2e-4, beta1: 0.5, beta2: 0.999 }],
  ['adam', { lr: 0.1, weightDecay: 0.1, eps: 1e-3 }],
  ['adamw', { lr: 1e-3 }],
  ['adamw', { lr: 0.1, weightDecay: 0.5, beta1: 0 }],
  ['sgd', { lr: 0.1 }],
  ['sgd', { lr: 0.1, momentum: 0.9, weightDecay: 1e-2 }],
  ['rmsprop', { lr: 2e-3 }],
  ['rmsprop', { lr: 0.05, alpha: 0.9, eps: 1e-3, momentum: 0.8, weightDecay: 0.1 }],
];

/** Parameters, gradients and an optimiser, and what the oracle makes of the same. */
function setUp([kind, attrs]: Case, sizes: readonly number[]) {
  const pieces = sizes.map((size, i) => ({
    values: engine.upload(draw(i, size), [size]),
    gradients: engine.empty([size]),
  }));
  const optimizer = createOptimizer(engine, kind, pieces, attrs as OptimizerAttrs[typeof kind]);
  return { pieces, optimizer };
}

function release(optimizer: Optimizer, tensors: readonly Tensor[]): void {
  for (const tensor of [...tensors, ...Object.values(optimizer.state())]) engine.release(tensor);
}

describe('against the oracle', () => {
  it.each(CASES)('%s %j', async (...test) => {
    const sizes = [70, 5];
    const { pieces, optimizer } = setUp(test as Case, sizes);
    const [kind, attrs] = test;
    const step = optimizers[kind] as OptimizerStep<object>;
    const expected = sizes.map((size, i) => ({ param: Float64Array.from(draw(i, size)), state: optimizerState(size) }));
    for (let t = 0; t < 6; t++) {
      // The learning rate of a single step may be another.
      const lr = t === 3 ? 0.02 : attrs.lr;
      pieces.forEach(({ gradients }, i) => {
        const gradient = draw(100 + 10 * t + i, sizes[i]!);
        engine.write(gradients, gradient);
        step(expected[i]!.param, Float64Array.from(gradient), expected[i]!.state, { ...attrs, lr });
      });
      const before = engine.counters().dispatches;
      if (t === 3) optimizer.update(engine, lr);
      else optimizer.update(engine);
      expect(engine.counters().dispatches - before, 'one dispatch a piece').toBe(sizes.length);
    }
    expect(optimizer.step).toBe(6);
    for (const [i, { values }] of pieces.entries()) {
      const { error, where } = compare('value', await engine.read(values), expected[i]!.param, values.shape);
      expect(error, where).toBeLessThan(1e-6);
    }
    release(
      optimizer,
      pieces.flatMap(({ values, gradients }) => [values, gradients]),
    );
    expect(engine.memory().inUse).toBe(0);
  });

  it('sgd with nesterov looks ahead along the momentum', async () => {
    const { pieces, optimizer } = setUp(['sgd', { lr: 0.1, momentum: 0.5, nesterov: true }], [1]);
    const [{ values, gradients }] = pieces as [(typeof pieces)[0]];
    engine.write(values, new Float32Array([1]));
    engine.write(gradients, new Float32Array([1]));
    for (let t = 0; t < 2; t++) optimizer.update(engine);
    // The buffer is 1, then 1.5; the steps are 1 + 0.5 and 1 + 0.75.
    expect((await engine.read(values))[0]).toBeCloseTo(1 - 0.15 - 0.175, 6);
    release(optimizer, [values, gradients]);
  });

  it('adam corrects its bias exactly after many steps, and leaves zeros alone', async () => {
    const { pieces, optimizer } = setUp(['adam', { lr: 0.1 }], [2]);
    const [{ values, gradients }] = pieces as [(typeof pieces)[0]];
    engine.write(values, new Float32Array([0, 0]));
    engine.write(gradients, new Float32Array([3, 0]));
    optimizer.setStep(99_999);
    for (const tensor of Object.values(optimizer.state())) engine.write(tensor, new Float32Array([9, 0]));
    optimizer.update(engine);
    const [m, s] = [0.9 * 9 + 0.3, 0.999 * 9 + 0.009];
    const root = Math.sqrt(s / (1 - 0.999 ** 100_000));
    const after = await engine.read(values);
    expect(after[0]).toBeCloseTo((-0.1 * m) / root, 6);
    expect(after[1]).toBe(0);
    release(optimizer, [values, gradients]);
  });
});

describe('state', () => {
  it.each(CASES)('saved and put back, %s %j goes on with the same bits', async (...test) => {
    const first = setUp(test as Case, [37]);
    const run = (optimizer: Optimizer, gradients: Tensor, from: number, to: number): void => {
      for (let t = from; t < to; t++) {
        engine.write(gradients, draw(50 + t, 37));
        optimizer.update(engine);
      }
    };
    run(first.optimizer, first.pieces[0]!.gradients, 0, 3);
    const saved = new Map<string, Float32Array>();
    for (const [name, tensor] of Object.entries(first.optimizer.state())) saved.set(name, await engine.read(tensor));
    const middle = await engine.read(first.pieces[0]!.values);
    run(first.optimizer, first.pieces[0]!.gradients, 3, 6);

    const second = setUp(test as Case, [37]);
    engine.write(second.pieces[0]!.values, middle);
    second.optimizer.setStep(3);
    const state = second.optimizer.state();
    expect(Object.keys(state)).toEqual([...saved.keys()]);
    for (const [name, values] of saved) engine.write(state[name]!, values);
    run(second.optimizer, second.pieces[0]!.gradients, 3, 6);
    expect(await engine.read(second.pieces[0]!.values)).toEqual(await engine.read(first.pieces[0]!.values));
    for (const { optimizer, pieces } of [first, second]) {
      release(
        optimizer,
        pieces.flatMap(({ values, gradients }) => [values, gradients]),
      );
    }
  });

  it("has PyTorch's names, numbered where parameters are in pieces", () => {
    const names = (test: Case, sizes: readonly number[]): string[] => {
      const { pieces, optimizer } = setUp(test, sizes);
      const found = Object.keys(optimizer.state());
      release(
        optimizer,
        pieces.flatMap(({ values, gradients }) => [values, gradients]),
      );
      return found;
    };
    expect(names(['adam', { lr: 1 }], [4])).toEqual(['exp_avg', 'exp_avg_sq']);
    expect(names(['sgd', { lr: 1 }], [4])).toEqual([]);
    expect(names(['sgd', { lr: 1, momentum: 0.9 }], [4])).toEqual(['momentum_buffer']);
    expect(names(['rmsprop', { lr: 1 }], [4, 4])).toEqual(['square_avg.0', 'square_avg.1']);
  });
});

describe('faults', () => {
  const attempt = (kind: OptimizerKind, attrs: object, gradients = 4): (() => unknown) => {
    return () => {
      const values = engine.empty([4]);
      const places = engine.empty([gradients]);
      try {
        return createOptimizer(engine, kind, [{ values, gradients: places }], attrs as AnyAttrs);
      } finally {
        engine.release(values);
        engine.release(places);
      }
    };
  };
  type AnyAttrs = OptimizerAttrs[OptimizerKind];

  it.each([
    ['adam', { lr: 0 }, 'lr must be above 0'],
    ['adam', { lr: 1, beta1: 1 }, 'beta1 must be from 0 to below 1'],
    ['adam', { lr: 1, eps: 0 }, 'eps must be above 0'],
    ['adamw', { lr: 1, weightDecay: -1 }, 'weightDecay must be at least 0'],
    ['sgd', { lr: 1, nesterov: true }, 'nesterov needs a momentum'],
    ['sgd', { lr: 1, momentum: Number.NaN }, 'momentum must be at least 0'],
    ['rmsprop', { lr: 1, alpha: 2 }, 'alpha must be from 0'],
  ] as const)('%s %j: %s', (kind, attrs, message) => {
    expect(attempt(kind, attrs)).toThrow(message);
  });

  it('names the shapes of values and gradients that differ', () => {
    expect(attempt('adam', { lr: 1 }, 5)).toThrow('values of shape [4] have gradients of shape [5]');
  });

  it('refuses a step that is no number of steps', () => {
    const { pieces, optimizer } = setUp(['sgd', { lr: 1 }], [1]);
    expect(() => optimizer.setStep(1.5)).toThrow('1.5 is no number of steps');
    release(optimizer, [pieces[0]!.values, pieces[0]!.gradients]);
  });
});

const recorded = (readCases('modules.safetensors') ?? []).filter(({ op }) => op in optimizers);

describe.runIf(recorded.length > 0)('recorded cases', () => {
  it('there is one of every optimiser', () => {
    expect(new Set(recorded.map(({ op }) => op))).toEqual(new Set(Object.keys(optimizers)));
  });

  it.each(recorded.map((test) => [test.name, test] as const))('%s', async (_name, { op, attrs, inputs, outputs }) => {
    const { data } = inputs.param!;
    const values = engine.upload(Float32Array.from(data), [data.length]);
    const gradients = engine.empty([data.length]);
    const kind = op as OptimizerKind;
    const optimizer = createOptimizer(engine, kind, [{ values, gradients }], attrs as OptimizerAttrs[typeof kind]);
    for (let t = 0; `grad${t}` in inputs; t++) {
      engine.write(gradients, Float32Array.from(inputs[`grad${t}`]!.data));
      optimizer.update(engine);
    }
    const { error, where } = compare('param', await engine.read(values), outputs.param!.data, values.shape);
    expect(error, where).toBeLessThan(1e-6);
    release(optimizer, [values, gradients]);
  });
});

describe('updateEma', () => {
  it('follows the values', async () => {
    const average = engine.upload(draw(1, 70), [70]);
    const expected = Float64Array.from(draw(1, 70));
    const values = engine.empty([70]);
    for (let t = 0; t < 5; t++) {
      const now = draw(20 + t, 70);
      engine.write(values, now);
      updateEma(engine, values, average, 0.9);
      now.forEach((value, i) => {
        expected[i] = 0.9 * expected[i]! + 0.1 * value;
      });
    }
    expect(compare('average', await engine.read(average), expected, [70]).error).toBeLessThan(1e-6);
    const other = engine.empty([71]);
    expect(() => updateEma(engine, values, other, 0.9)).toThrow('an average of 71 values cannot follow 70');
    expect(() => updateEma(engine, values, average, 1.1)).toThrow('decay must be from 0 to 1');
    for (const tensor of [average, values, other]) engine.release(tensor);
  });
});

describe.each([
  ['as it is', {}],
  ['as on a GPU', { software: false, subgroupsOf8: false }],
])('clipGradients, the device %s', (_title, assumed) => {
  const SIZES = [9001, 4, 3, 8192];

  async function clipped(maxNorm: number, scale: number): Promise<{ norm: number; values: Float32Array[] }> {
    const e = new Engine(gpu, assumed);
    const tensors = SIZES.map((size, i) => e.upload(draw(i, size, scale), [size]));
    const norm = clipGradients(e, tensors, maxNorm);
    const values: Float32Array[] = [];
    for (const tensor of tensors) values.push(await e.read(tensor));
    const found = (await e.read(norm))[0]!;
    for (const tensor of [...tensors, norm]) e.release(tensor);
    expect(e.memory().inUse).toBe(0);
    return { norm: found, values };
  }

  const given = (scale: number): Float32Array[] => SIZES.map((size, i) => draw(i, size, scale));
  const normOf = (tensors: readonly Float32Array[]): number =>
    Math.sqrt(tensors.flatMap((tensor) => [...tensor]).reduce((sum, value) => sum + value * value, 0));

  it('brings a norm that is too large down to the greatest allowed, and gives the norm before', async () => {
    const { norm, values } = await clipped(0.5, 3);
    const before = normOf(given(3));
    expect(norm / before).toBeCloseTo(1, 6);
    const expected = given(3).map((tensor) => Float64Array.from(tensor, (value) => (value * 0.5) / (before + 1e-6)));
    values.forEach((tensor, i) => {
      expect(compare('gradient', tensor, expected[i]!, [SIZES[i]!]).error).toBeLessThan(1e-6);
    });
  });

  it('leaves a small norm as it is, to the bit', async () => {
    const { values } = await clipped(1000, 1);
    expect(values).toEqual(given(1));
  });

  it('gives the same bits twice', async () => {
    expect(await clipped(1, 2)).toEqual(await clipped(1, 2));
  });

  it('refuses what cannot be clipped', () => {
    expect(() => clipGradients(engine, [], 1)).toThrow('no gradients');
    const gradient = engine.empty([1]);
    expect(() => clipGradients(engine, [gradient], 0)).toThrow('maxNorm must be above 0');
    engine.release(gradient);
  });
});
