/** Gradients in the place of the gradient that they are computed from: the same bits, and kernels that compile everywhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseInputs, describeCase } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import type { Capabilities } from '../../src/kernel/choose.js';
import { Engine } from '../../src/kernel/engine.js';
import { sizeOf, type Tensor } from '../../src/memory/tensor.js';
import { type Case, inputName, type Op, type Saved } from '../../src/ops/define.js';
import { ops } from '../../src/ops/index.js';
import { normal } from '../../src/reference/random.js';

/** An op's gradients from one that it may overwrite, or may not. All that is allocated lasts as long as the engine. */
function gradientsOf(e: Engine, op: Op, test: Case<object>, spare: boolean): (Tensor | undefined)[] {
  const inputs = caseInputs(op, test).map((input, i) => {
    const whole = typeof test.fill?.[inputName(op.inputs[i]!)] === 'object';
    return input && e.upload(whole ? Int32Array.from(input.data) : Float32Array.from(input.data), input.shape);
  });
  const shape = op.shape(test.shapes, test.attrs);
  const results = op.forward(e, inputs, test.attrs, shape);
  const saved: Saved = { ...Object.fromEntries(op.inputs.map((name, i) => [inputName(name), inputs[i]!])), ...results };
  const gy = e.upload(Float32Array.from(normal(2, 0, sizeOf(shape))), shape);
  const want = inputs.map((input) => (input?.dtype === 'f32' ? () => e.empty(input.shape) : undefined));
  return [...op.backward!(e, saved, gy, test.attrs, want, spare)];
}

const differentiable = ops.filter((op) => op.backward);
const inPlace = (e: Engine): string[] => e.compiledKernels().filter((key) => key.includes('IN_PLACE='));

describe('on this device', () => {
  let gpu: Gpu;
  const used = new Set<string>();

  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu?.close());

  /** Where there is one, a case with an activation and all inputs. */
  const tests = differentiable.map((op) => {
    const full = op.cases.find(({ shapes, attrs }) => 'activation' in attrs && shapes.length === op.inputs.length);
    const test = full ?? op.cases[0]!;
    return [describeCase(op, test), op, test] as const;
  });

  it.each(tests)('%s', async (_, op, test) => {
    const e = new Engine(gpu);
    const [apart, together] = [false, true].map((spare) => gradientsOf(e, op, test, spare));
    for (const [i, gradient] of apart!.entries()) {
      expect(together![i] === undefined).toBe(gradient === undefined);
      if (gradient) expect(await e.read(together![i]!)).toEqual(await e.read(gradient));
    }
    for (const key of inPlace(e)) used.add(key.split(/[+;]/)[0]!);
  });

  it('is what activations, normalisation and attention do', () => {
    expect([...used].sort()).toEqual(
      expect.arrayContaining(['activation_gradient', 'batch_norm_backward', 'cbam_gate_gradient', 'epilogue_gradient']),
    );
  });
});

describe("on Dawn's Null backend", () => {
  const DEVICES: Record<string, Partial<Capabilities>> = {
    'a GPU': { software: false, lanes: 0 },
    lavapipe: { software: true, lanes: 8 },
    SwiftShader: { software: true, lanes: 4 },
  };
  let gpu: Gpu;

  beforeAll(async () => {
    gpu = await openGpu({ backend: 'null' });
  });
  afterAll(() => gpu?.close());

  it.each(Object.entries(DEVICES))('kernels compile as on %s', async (_, capabilities) => {
    const e = new Engine(gpu, capabilities);
    for (const op of differentiable) for (const test of op.cases) gradientsOf(e, op, test, true);
    await e.sync();
    expect(inPlace(e).length).toBeGreaterThan(20);
  });
});
