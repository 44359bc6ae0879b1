/** batch_norm and spectral_norm beyond what their records test: hostile values, GPU variants, shared buffers, recordings. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCase, compare, describeCase, largest } from '../../src/autograd/check.js';
import type { HalfCopies } from '../../src/autograd/halves.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { BASE } from '../../src/kernel/choose.js';
import { Engine } from '../../src/kernel/engine.js';
import { fromHalf, toHalf } from '../../src/memory/half.js';
import { layOut, sizeOf, type Tensor, VIEW_ALIGNMENT } from '../../src/memory/tensor.js';
import { sigmoid } from '../../src/ops/activations.js';
import { type BatchNormAttrs, batchNorm } from '../../src/ops/batchNorm.js';
import { channelParts } from '../../src/ops/channels.js';
import { inputName, type Op } from '../../src/ops/define.js';
import { affine } from '../../src/ops/elementwise.js';
import { cut, lanesFor, threadsLog2 } from '../../src/ops/lanes.js';
import { spectralNorm } from '../../src/ops/spectralNorm.js';
import type { Array64 } from '../../src/reference/array.js';
import { make } from '../../src/reference/array.js';
import { batchNorm as batchNormOracle } from '../../src/reference/normalization.js';
import { normal } from '../../src/reference/random.js';
import { spectralNorm as spectralNormOracle } from '../../src/reference/spectralNorm.js';
import { readCases } from '../reference/referenceCases.js';

const OPS = [batchNorm, spectralNorm] as unknown as Op[];
const SOFTWARE = { ...BASE, software: true, f16: true };
const HARDWARE = { ...BASE, f16: true };

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
});

afterAll(() => gpu?.close());

const upload = (e: Engine, { data, shape }: Array64): Tensor => e.upload(Float32Array.from(data), shape);

function releaseAll(e: Engine, tensors: Iterable<Tensor | undefined>): void {
  const storages = new Set<object>();
  for (const tensor of tensors) {
    if (!tensor || storages.has(tensor.storage)) continue;
    storages.add(tensor.storage);
    e.release(tensor);
  }
}

describe.each([
  ['as on a GPU', HARDWARE],
  ['as on a software adapter', SOFTWARE],
])('every case of both ops, %s', (_title, assumed) => {
  it.each(OPS.map((op) => [op.name, op] as const))('%s', async (_name, op) => {
    const e = new Engine(gpu, assumed);
    for (const test of op.cases) {
      const { forward, gradient, deterministic } = await checkCase(e, op, test);
      const title = describeCase(op, test);
      expect(forward.error, `${title}: ${forward.where}`).toBeLessThan(op.tolerance.forward);
      expect(gradient?.error, `${title}: ${gradient?.where}`).toBeLessThan(op.tolerance.gradient);
      expect(deterministic, title).toBe(true);
    }
    expect(e.memory().inUse).toBe(0);
  });
});

describe('batch_norm', () => {
  /** Values of x [N, C, H, W] by channel, worst first. */
  const hostile: Record<string, (value: number, i: number) => number> = {
    'mean 3, deviation 2': (value) => 3 + 2 * value,
    'mean 1000, deviation 1': (value) => 1000 + value,
    'mean -1e6, deviation 10': (value) => -1e6 + 10 * value,
    'first value far off': (value, i) => (i === 0 ? 1e4 : value),
    'tiny values': (value) => 1e-12 * value,
    'huge values': (value) => 1e15 * value,
  };

  async function worstError(e: Engine, shape: number[], change: (value: number, i: number) => number): Promise<number> {
    const channels = shape[1]!;
    const perChannel = (value: number): Array64 => make([channels], new Array<number>(channels).fill(value));
    const values = normal(3, 0, sizeOf(shape)).map((value, i) => Math.fround(change(value, i)));
    const inputs = [make(shape, values), perChannel(1), perChannel(0), perChannel(0), perChannel(1)];
    const attrs: BatchNormAttrs = { training: true, momentum: 1, eps: 1e-30 };
    const expected = batchNormOracle(inputs, attrs);
    const tensors = inputs.map((input) => upload(e, input));
    const y = new Tape(e).apply(batchNorm, tensors as [Tensor, Tensor, Tensor, Tensor, Tensor], attrs);
    // A mean near zero is the small rest of large values: it is exact to a deviation's digits, not to its own.
    const deviation = Math.sqrt(Math.max(...expected.runningVar.data));
    const errors = [
      compare('y', await e.read(y), expected.y.data, shape),
      compare('mean', await e.read(tensors[3]!), expected.runningMean.data, [channels], deviation),
      compare('var', await e.read(tensors[4]!), expected.runningVar.data, [channels]),
    ];
    releaseAll(e, [...tensors, y]);
    return Math.max(...errors.map(({ error }) => error));
  }

  it.each(Object.entries(hostile))('is exact with %s, whole or in parts', async (_title, change) => {
    expect(await worstError(engine, [4, 2, 16, 16], change)).toBeLessThan(2e-6);
    expect(await worstError(engine, [3, 1, 61, 67], change)).toBeLessThan(2e-6);
    expect(await worstError(new Engine(gpu, HARDWARE), [2, 1, 160, 164], change)).toBeLessThan(2e-6);
  });

  it('gives bias for a channel that does not vary', async () => {
    const inputs = [make([4, 1, 3], new Array(12).fill(0.1)), make([1], [2]), make([1], [0.5])];
    const tensors = [...inputs, make([1], [0]), make([1], [1])].map((input) => upload(engine, input));
    const y = new Tape(engine).apply(batchNorm, tensors as [Tensor, Tensor, Tensor, Tensor, Tensor], {
      training: true,
    });
    expect(await engine.read(y)).toEqual(new Float32Array(12).fill(0.5));
    releaseAll(engine, [...tensors, y]);
  });

  it('runs in one dispatch each way where channels are short, with all statistics in one buffer and gy left alone', async () => {
    const shape = [4, 8, 6, 6];
    const x = upload(engine, make(shape, normal(1, 0, sizeOf(shape))));
    const ones = upload(engine, make([8], new Array(8).fill(1)));
    const parameters = views(engine, [[8], [8]], [ones, ones]);
    const running = views(engine, [[8], [8]], [ones, ones]);
    const places = [...views(engine, [[8], [8]], []), engine.empty(shape)];
    const tracked = [...parameters, x];
    const gradients = new Gradients(tracked, (tensor) => places[tracked.indexOf(tensor)]!);
    const tape = new Tape(engine, gradients);
    const before = engine.counters().dispatches;
    const y = tape.apply(batchNorm, [x, ...parameters, ...running] as never, { training: true, activation: 'relu' });
    expect(engine.counters().dispatches - before).toBe(1);
    const cotangent = Float32Array.from(normal(2, 0, sizeOf(shape)));
    const gy = engine.upload(cotangent, shape);
    tape.backward(y, gy);
    expect(engine.counters().dispatches - before).toBe(2);
    expect(await engine.read(gy)).toEqual(cotangent);
    expect((await engine.read(running[1]!)).every((value) => value !== 1)).toBe(true);
    expect(gradients.of(parameters[0]!)).toBe(places[0]);
    releaseAll(engine, [x, ones, y, gy, ...parameters, ...running, ...places]);
    expect(engine.memory().inUse).toBe(0);
  });

  it('computes only what is wanted', async () => {
    const shape = [2, 3, 4, 4];
    const tensors = [shape, [3], [3], [3], [3]].map((s, i) => upload(engine, make(s, normal(1, i, sizeOf(s)))));
    const [, weight] = tensors;
    const gradients = new Gradients([weight!]);
    const tape = new Tape(engine, gradients);
    const y = tape.apply(batchNorm, tensors as [Tensor, Tensor, Tensor, Tensor, Tensor], { training: true });
    tape.backward(y, y);
    const found = gradients.of(weight!)!;
    // With gy = y = xhat weight + bias: the sum of gy xhat is weight times the 32 values of a channel, but for eps.
    const expected = (await engine.read(weight!)).map((value) => 32 * value);
    expect(compare('gweight', await engine.read(found), expected, [3]).error).toBeLessThan(1e-4);
    releaseAll(engine, [...tensors, y, found]);
  });

  it('names what does not fit', () => {
    const [c, other] = [[3], [4]];
    expect(() => batchNorm.shape([[2, 3, 4], c, c, c, other], { training: true })).toThrow('runningVar');
    expect(() => batchNorm.shape([[2], c, c, c, c], { training: true })).toThrow('2 to 4 dimensions');
    expect(() => batchNorm.shape([[1, 3, 1], c, c, c, c], { training: true })).toThrow('more than one value');
    expect(batchNorm.shape([[1, 3, 1], c, c, c, c], { training: false })).toEqual([1, 3, 1]);
  });

  it('is cut into parts only where that keeps the device busy', () => {
    expect(channelParts(SOFTWARE, 64, 1 << 20).parts).toBe(1);
    expect(channelParts(SOFTWARE, 1, 1 << 20).parts).toBe(8);
    expect(channelParts(SOFTWARE, 1, 2048).parts).toBe(1);
    expect(channelParts(HARDWARE, 64, 8192).parts).toBe(1);
    expect(channelParts(HARDWARE, 16, 1 << 20).parts).toBe(32);
  });
});

/** Tensors of one buffer, each holding what `from` has for it. */
function views(e: Engine, shapes: readonly (readonly number[])[], from: readonly Tensor[]): Tensor[] {
  const whole = e.empty([shapes.length * (VIEW_ALIGNMENT / 4)]);
  return shapes.map((shape, i) => {
    const view = { ...whole, shape, offset: i * VIEW_ALIGNMENT };
    const source = from[i];
    if (source) affine(e, source, 1, 0, view);
    return view;
  });
}

describe('spectral_norm', () => {
  it('moves u and v that lie in one buffer, in three dispatches, and keeps its own copy for the way back', async () => {
    const shape = [6, 20];
    const [weight, u, v] = [shape, [6], [20]].map((s, i) => make(s, normal(5, i, sizeOf(s)).map(Math.fround)));
    const w = upload(engine, weight!);
    const sources = [u!, v!].map((array) => upload(engine, array));
    const buffers = views(engine, [[6], [20]], sources);
    const before = engine.counters().dispatches;
    const gradients = new Gradients([w]);
    const tape = new Tape(engine, gradients);
    const attrs = { iterations: 1 };
    const y = tape.apply(spectralNorm, [w, buffers[0]!, buffers[1]!], attrs);
    expect(engine.counters().dispatches - before).toBe(3);
    const once = spectralNormOracle([weight, u, v], attrs);
    const yValues = await engine.read(y);
    expect(compare('weight', yValues, once.weight.data, shape).error).toBeLessThan(1e-6);
    expect(compare('u', await engine.read(buffers[0]!), once.u.data, [6]).error).toBeLessThan(1e-6);
    expect(compare('v', await engine.read(buffers[1]!), once.v.data, [20]).error).toBeLessThan(1e-6);

    // A second call moves u and v; the gradient of the first stays that of its own.
    const again = new Tape(engine).apply(spectralNorm, [w, buffers[0]!, buffers[1]!], attrs);
    const gy = normal(6, 0, 120);
    const cotangent = upload(engine, make(shape, gy));
    tape.backward(y, cotangent);
    const sigma = weight!.data[0]! / once.weight.data[0]!;
    const inner = gy.reduce((sum, g, i) => sum + g * once.weight.data[i]!, 0);
    const expected = gy.map((g, i) => (g - inner * once.u.data[Math.floor(i / 20)]! * once.v.data[i % 20]!) / sigma);
    const gradient = gradients.of(w)!;
    expect(compare('gradient', await engine.read(gradient), expected, shape).error).toBeLessThan(1e-5);
    releaseAll(engine, [w, ...sources, ...buffers, y, again, cotangent, gradient]);
  });

  describe('of several layers', () => {
    const shapes = [
      [6, 20],
      [1, 300],
      [130, 1, 3, 3],
      [2, 5],
    ];
    const attrs = { iterations: 2 };

    /** The result, u, v and the gradient of each layer, with all weights in one buffer, all u and so on, or none. */
    async function normalised(inOneBuffer: boolean, halves?: HalfCopies) {
      const arrays = [0, 1, 2].map((input) =>
        shapes.map((shape, i) => {
          const own = [shape, [shape[0]!], [sizeOf(shape) / shape[0]!]][input]!;
          return make(own, normal(input, i, sizeOf(own)).map(Math.fround));
        }),
      );
      const packed = (inputs: readonly Array64[]): Tensor[] => {
        if (!inOneBuffer) return inputs.map((input) => upload(engine, input));
        const { offsets, length } = layOut(inputs.map(({ shape }) => shape));
        const whole = engine.empty([length]);
        return inputs.map((input, i) => {
          const view = { ...whole, shape: input.shape, offset: offsets[i]! };
          engine.write(view, Float32Array.from(input.data));
          return view;
        });
      };
      const [weights, us, vs] = arrays.map(packed) as [Tensor[], Tensor[], Tensor[]];
      const cotangents = weights.map(({ shape }, i) => upload(engine, make([...shape], normal(9, i, sizeOf(shape)))));
      const places = packed(arrays[0]!);
      const gradients = new Gradients(weights, (tensor) => places[weights.indexOf(tensor)]!);
      const tape = new Tape(engine, gradients, { halves });
      const before = engine.counters().dispatches;
      const ys = tape.applyEach(
        spectralNorm,
        weights.map((weight, i) => [weight, us[i]!, vs[i]!] as const),
        { ...attrs, dtype: tape.dtype },
      );
      const forward = engine.counters().dispatches - before;
      const after = engine.counters().dispatches;
      const results = ys.map((y) => tape.apply(sigmoid, [y], {}));
      tape.backwardAll(
        results.map((result, i) => [result, cotangents[i]!] as const),
        ys,
      );
      const backward = engine.counters().dispatches - after - 2 * ys.length; // without those of the sigmoids
      const values = await Promise.all([...ys, ...us, ...vs, ...places].map((tensor) => engine.read(tensor)));
      return { values, dispatches: [forward, backward], ys };
    }

    it('gives weights in f16, the nearest to those in f32, with gradients in f32', async ({ skip }) => {
      if (!engine.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
      const [single, half] = [await normalised(true), await normalised(true, new Map())];
      expect(half.ys.every(({ dtype }) => dtype === 'f16')).toBe(true);
      const [count, n] = [single.values.length, shapes.length];
      const rounded = single.values.slice(0, n).map((values) => fromHalf(toHalf(values).subarray(0, values.length)));
      expect(half.values.slice(0, n)).toEqual(rounded);
      expect(half.values.slice(n, count - n)).toEqual(single.values.slice(n, count - n));
      for (let i = count - n; i < count; i++) {
        const { error, where } = compare('gradient', half.values[i]!, single.values[i]!, [half.values[i]!.length]);
        expect(error, where).toBeLessThan(4e-3);
      }
    });

    it('takes as many dispatches as one layer, and gives the same bits as one by one', async () => {
      const [together, alone] = [await normalised(true), await normalised(false)];
      expect(together.dispatches).toEqual([6, 2]);
      expect(alone.dispatches).toEqual([6 * shapes.length, 2 * shapes.length]);
      expect(together.values).toEqual(alone.values);
      expect(new Set(together.ys.map(({ storage }) => storage)).size).toBe(1);
    });
  });

  it('keeps its digits with weights far from 1', async () => {
    for (const scale of [1e-8, 1e8]) {
      const inputs = [[3, 5], [3], [5]].map((s, i) =>
        make(
          s,
          normal(5, i, sizeOf(s)).map((z) => Math.fround(i ? z : z * scale)),
        ),
      );
      const expected = spectralNormOracle(inputs, { iterations: 2 });
      const tensors = inputs.map((input) => upload(engine, input)) as [Tensor, Tensor, Tensor];
      const y = new Tape(engine).apply(spectralNorm, tensors, { iterations: 2 });
      expect(compare('weight', await engine.read(y), expected.weight.data, [3, 5]).error).toBeLessThan(2e-6);
      releaseAll(engine, [...tensors, y]);
    }
  });

  it('names what does not fit', () => {
    expect(() => spectralNorm.shape([[4, 3, 2], [3], [6]], { iterations: 1 })).toThrow('u must have the 4 rows');
    expect(() => spectralNorm.shape([[4, 3, 2], [4], [3]], { iterations: 1 })).toThrow('v must have the 6 columns');
    expect(() => spectralNorm.shape([[4], [4], [1]], { iterations: 1 })).toThrow('2 dimensions');
    expect(() => spectralNorm.shape([[4, 2], [4], [2]], { iterations: 0.5 })).toThrow('whole number');
  });
});

describe('cutting up', () => {
  it('leaves no part empty and none but the last short', () => {
    expect(cut(10, 4, 1)).toEqual({ parts: 4, items: 3 });
    expect(cut(9, 8, 1)).toEqual({ parts: 5, items: 2 });
    expect(cut(5, 8, 100)).toEqual({ parts: 1, items: 5 });
  });

  it('handles four values at a time where rows allow', () => {
    expect(lanesFor(12)).toEqual({ file: 'lib/lanes_4', count: 4 });
    expect(lanesFor(1)).toEqual({ file: 'lib/lanes_1', count: 1 });
  });

  it('shares rows among powers of two of invocations', () => {
    expect([1, 16, 17, 1024].map((items) => threadsLog2(SOFTWARE, items))).toEqual([0, 0, 1, 6]);
    expect(threadsLog2(HARDWARE, 1024)).toBe(8);
  });
});

const recorded = ['layers.safetensors', 'modules.safetensors']
  .flatMap((file) => readCases(file) ?? [])
  .filter(({ op }) => op === 'batch_norm' || op === 'spectral_norm');

describe.runIf(recorded.length > 0)('recorded cases', () => {
  it('there are some of both', () => {
    expect(new Set(recorded.map(({ op }) => op)).size).toBe(2);
  });

  it.each(recorded.map((test) => [test.name, test] as const))('%s', async (_name, test) => {
    const op = OPS.find(({ name }) => name === test.op)!;
    const names = op.inputs.map(inputName);
    const tensors = names.map((name) => upload(engine, test.inputs[name]!));
    const gradients = new Gradients(tensors);
    const tape = new Tape(engine, gradients);
    const y = tape.apply(op, tensors, test.attrs);
    const cotangent = upload(engine, test.cotangents[op.output]!);
    tape.backward(y, cotangent);
    const floor = (arrays: readonly Array64[]) => 1e-3 * Math.max(...arrays.map(({ data }) => largest(data)));
    for (const [name, { data, shape }] of Object.entries(test.outputs)) {
      const tensor = name === op.output ? y : tensors[names.indexOf(name)]!;
      const { error, where } = compare(
        name,
        await engine.read(tensor),
        data,
        shape,
        floor(Object.values(test.outputs)),
      );
      expect(error, where).toBeLessThan(1e-5);
    }
    for (const [name, { data, shape }] of Object.entries(test.grads)) {
      const gradient = await engine.read(gradients.of(tensors[names.indexOf(name)]!)!);
      const { error, where } = compare(`d/d${name}`, gradient, data, shape, floor(Object.values(test.grads)));
      expect(error, where).toBeLessThan(2e-5);
    }
    releaseAll(engine, [...tensors, y, cotangent, ...tensors.map((tensor) => gradients.of(tensor))]);
  });
});
