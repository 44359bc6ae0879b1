/** Ops against PyTorch's recorded outputs and gradients, where the recordings lie beside the project. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare, largest } from '../../src/autograd/check.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { inputName } from '../../src/ops/define.js';
import { opByName } from '../../src/ops/index.js';
import type { Array64 } from '../../src/reference/array.js';
import { type ReferenceCase, readCases } from '../reference/referenceCases.js';

const OPS = ['max_pool2d', 'avg_pool2d', 'adaptive_avg_pool2d', 'embedding', 'cross_entropy', 'bce_with_logits'];
const INTEGERS = new Set(['labels', 'indices']);

const cases = (readCases('layers.safetensors') ?? []).filter(({ op }) => OPS.includes(op));

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
});

afterAll(() => gpu?.close());

/** Outputs and gradients of a case by name, from the GPU. */
async function run({ op, attrs, inputs, cotangents }: ReferenceCase): Promise<Map<string, Float32Array>> {
  const record = opByName.get(op)!;
  const tensors = record.inputs.map(inputName).map((name): Tensor | undefined => {
    if (!inputs[name]) return undefined;
    const { shape, data } = inputs[name];
    return engine.upload(INTEGERS.has(name) ? Int32Array.from(data) : Float32Array.from(data), shape);
  });
  const gradients = new Gradients(tensors.filter((tensor): tensor is Tensor => tensor?.dtype === 'f32'));
  const tape = new Tape(engine, gradients);
  const y = tape.apply(record, tensors, attrs);
  const results = new Map([[record.output, await engine.read(y)]]);
  const cotangent = cotangents[record.output]!;
  tape.backward(y, engine.upload(Float32Array.from(cotangent.data), cotangent.shape));
  for (const [i, name] of record.inputs.entries()) {
    const gradient = tensors[i] && gradients.of(tensors[i]);
    if (gradient) results.set(`grad ${inputName(name)}`, await engine.read(gradient));
  }
  return results;
}

const floorOf = (arrays: readonly Array64[]): number => 1e-3 * Math.max(...arrays.map(({ data }) => largest(data)));

describe.runIf(cases.length > 0)('recorded cases', () => {
  it('there is at least one of every op', () => {
    expect(new Set(cases.map(({ op }) => op))).toEqual(new Set(OPS));
  });

  it.each(cases.map((test) => [test.name, test] as const))('%s', async (_name, test) => {
    const actual = await run(test);
    for (const [name, { data, shape }] of Object.entries(test.outputs)) {
      const { error, where } = compare(name, actual.get(name) ?? [], data, shape, floorOf(Object.values(test.outputs)));
      expect(error, where).toBeLessThan(1e-5);
    }
    for (const [name, { data, shape }] of Object.entries(test.grads)) {
      const gradient = actual.get(`grad ${name}`) ?? [];
      const { error, where } = compare(name, gradient, data, shape, floorOf(Object.values(test.grads)));
      expect(error, where).toBeLessThan(1e-5);
    }
  });
});
