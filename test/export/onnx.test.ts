/** Exported networks, run by onnxruntime, beside the engine. */
import * as ort from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/autograd/check.js';
import { Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { type Exported, toOnnx } from '../../src/export/network.js';
import { exportedClassifier, exportedGenerator } from '../../src/export/networks.js';
import { Engine } from '../../src/kernel/engine.js';
import { type Shape, sizeOf, type Tensor } from '../../src/memory/tensor.js';
import type { ClassifierOptions } from '../../src/models/classifier.js';
import { CLASSIFIER_NAMES } from '../../src/models/classifiers.js';
import { Generator, type GeneratorConfig } from '../../src/models/generator.js';
import { Linear } from '../../src/nn/layers.js';
import type { Module } from '../../src/nn/module.js';
import { Network, type State } from '../../src/nn/network.js';
import { dropout } from '../../src/ops/dropout.js';
import { permute, reshape } from '../../src/ops/shape.js';
import { normal } from '../../src/reference/random.js';

/** As many as were not traced with. */
const IMAGES = 5;

let gpu: Gpu;
let e: Engine;
beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  gpu = await openGpu();
  e = new Engine(gpu);
});
afterAll(() => gpu?.close());

/** A state in which batch norms have something to do. */
async function livelyState(module: Module): Promise<State> {
  const network = new Network(e, module, 1);
  const state = [...(await network.state())].map(([name, { shape, data }], i) => {
    const noise = normal(2, i, data.length);
    const values = data.map((value, j) => {
      if (name.endsWith('running_var')) return value + Math.abs(noise[j]!);
      return shape.length === 1 ? value + 0.3 * noise[j]! : value;
    });
    return [name, { shape, data: values }] as const;
  });
  network.destroy();
  return new Map(state);
}

const LABELS = [0, 2, 1, 1, 0];

/** What the engine makes of random inputs, and what onnxruntime makes of the exported network. */
async function both(network: Exported): Promise<{ actual: Float32Array; expected: Float32Array; shape: Shape }> {
  const session = await ort.InferenceSession.create(toOnnx(network));
  const feeds: Record<string, ort.Tensor> = {};
  const tensors: Tensor[] = [];
  for (const [i, { name, shape, integers }] of network.inputs.entries()) {
    const whole = [IMAGES, ...shape];
    const data = Float32Array.from(normal(3, i, sizeOf(whole)));
    feeds[name] = integers
      ? new ort.Tensor('int64', BigInt64Array.from(LABELS, BigInt), whole)
      : new ort.Tensor('float32', data, whole);
    tensors.push(integers ? e.upload(Int32Array.from(LABELS), whole) : e.upload(data, whole));
  }
  const result = (await session.run(feeds))[network.output]!;
  const actual = result.data as Float32Array;
  await session.release();
  const own = new Network(e, network.module, 1);
  own.load(network.state);
  // A tracer is a tape; here the tape computes.
  const forward = network.forward as (tape: Tape, inputs: readonly Tensor[]) => Tensor;
  own.module.eval();
  const y = forward(new Tape(e), tensors);
  expect(result.dims).toEqual(y.shape);
  const expected = await e.read(y);
  own.destroy();
  return { actual, expected, shape: y.shape };
}

async function expectSame(network: Exported): Promise<void> {
  const { actual, expected, shape } = await both(network);
  const { error, where } = compare('y', actual, expected, shape, 0);
  expect(error, where).toBeLessThan(1e-4);
}

const GENERATOR: GeneratorConfig = { classes: 3, channels: 1, latent: 6, base: 4, widths: [20, 8, 4] };

describe('a generator gives the same images in onnxruntime', () => {
  it.each<[string, Partial<GeneratorConfig>]>([
    ['as it is', {}],
    [
      'in colours, with nearest pixels and conditional batch norms',
      { channels: 3, upsampling: 'nearest', conditionalNorm: true },
    ],
    ['of dynamic convolutions, without attention', { dynamic: true, attention: false }],
  ])('%s', async (_title, config) => {
    const whole = { ...GENERATOR, ...config };
    await expectSame(exportedGenerator(whole, await livelyState(new Generator(whole)), {}));
  });
});

describe.each(CLASSIFIER_NAMES)('%s gives the same logits in onnxruntime', (name) => {
  it.each<[string, Partial<ClassifierOptions>]>([
    ['static', {}],
    ['dynamic', { dynamic: true, dynamicHead: true, channels: 3 }],
  ])('%s', async (_title, kind) => {
    const options = { classes: 4, channels: 1, width: 1 / 16, ...kind };
    const module = exportedClassifier(name, options, 40, new Map(), {}).module;
    await expectSame(exportedClassifier(name, options, 40, await livelyState(module), {}));
  });
});

it('layers of more dimensions, and dimensions counted from the last, are the same in onnxruntime', async () => {
  const module = new Linear(3, 4, { activation: 'relu' });
  await expectSame({
    ...exportedGenerator(GENERATOR, new Map(), {}),
    module,
    state: await livelyState(module),
    inputs: [{ name: 'x', shape: [6, 3] }],
    forward: (tape, [x]) => tape.apply(permute, [module.forward(tape, x!)], { dims: [0, -1, -2] }),
  });
});

describe('what cannot be exported is named:', () => {
  const network = (forward: Exported['forward']): Exported => ({
    ...exportedGenerator(GENERATOR, new Map(), {}),
    forward,
  });

  it('an op without a counterpart', () => {
    const dropping = network((tape, [noise]) =>
      tape.apply(dropout, [noise!], { p: 0.5, seed: 1, stream: 1, training: true }),
    );
    expect(() => toOnnx(dropping)).toThrow('dropout has no counterpart in ONNX yet');
  });

  it('a computation with the number of images', () => {
    const counting = network((tape, [noise]) => tape.apply(reshape, [noise!], { shape: [6, noise!.shape[0]!] }));
    expect(() => toOnnx(counting)).toThrow('computes with the number of images');
  });

  it('one that looks at values', () => {
    expect(() => toOnnx(network((tape, [noise]) => tape.engine.empty(noise!.shape)))).toThrow('made of ops only');
  });

  it('a weight that is missing', () => {
    expect(() => toOnnx(exportedGenerator(GENERATOR, new Map(), {}))).toThrow('the tensor embed.weight of the network');
  });
});
