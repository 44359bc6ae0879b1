/** Every kernel, in every variant that some device would choose or could be told to, compiles: on Dawn's Null backend, which runs nothing. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { BASE, type Capabilities, type Plan } from '../../src/kernel/choose.js';
import { Engine, type Work } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { inputName } from '../../src/ops/define.js';
import { ops } from '../../src/ops/index.js';

const DEVICES: Record<string, Capabilities> = {
  'a GPU': { ...BASE, f16: true },
  'a GPU with subgroup matrices': {
    ...BASE,
    f16: true,
    workgroupBytes: 49152,
    matrix: { M: 16, N: 16, K: 16, lanes: 32 },
  },
  lavapipe: { ...BASE, software: true, lanes: 8, f16: true },
  SwiftShader: { ...BASE, software: true, lanes: 4 },
  'a CPU without subgroups': { ...BASE, software: true, f16: true },
};

/** Does each work by all plans that there are for it. */
class EveryPlan extends Engine {
  override perform<P extends Plan>(work: Work<P>): void {
    for (const plan of work.candidates(this.capabilities, Number.POSITIVE_INFINITY)) work.run(this, plan, work.tensors);
  }
}

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu({ backend: 'null' });
});

afterAll(() => gpu?.close());

/** Compiles the text of each kernel, but makes its pipeline of another that asks for nothing. */
function compileTextsOnly(device: GPUDevice): void {
  const createPipeline = device.createComputePipeline.bind(device);
  const module = device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' });
  vi.spyOn(device, 'createComputePipeline').mockImplementation((pipeline) =>
    createPipeline({ ...pipeline, compute: { module } }),
  );
}

describe.each(Object.entries(DEVICES))('as on %s', (_name, capabilities) => {
  beforeAll(() => {
    // The Null backend has no more workgroup memory than every device has.
    if (capabilities.workgroupBytes > gpu.limits.maxComputeWorkgroupStorageSize) compileTextsOnly(gpu.device);
  });

  afterAll(() => vi.restoreAllMocks());

  it.each(ops.map((op) => [op.name, op] as const))('%s', async (_op, op) => {
    const engine = new EveryPlan(gpu, capabilities);
    for (const halves of capabilities.f16 ? [undefined, new Map()] : [undefined]) {
      for (const test of op.cases) {
        const inputs = test.shapes.map((shape, i) => {
          const whole = typeof test.fill?.[inputName(op.inputs[i]!)] === 'object';
          return shape && engine.empty(shape, whole ? 'i32' : 'f32');
        });
        const tracked = inputs.filter((input): input is Tensor => input?.dtype === 'f32');
        const tape = new Tape(engine, new Gradients(tracked), { halves });
        const y = tape.apply(op, inputs, test.attrs);
        if (op.backward) tape.backward(y, engine.empty(y.shape, y.dtype));
      }
    }
    const inHalf = engine.compiledKernels().some((kernel) => /=(f16|vec4h)\b/.test(kernel));
    // A cast's case casts to f32 what is in f32.
    if (op.name !== 'cast') expect(inHalf).toBe(capabilities.f16 && Object.keys(op.half).length > 0);
    await engine.sync();
    expect(engine.counters().pipelines).toBe(engine.compiledKernels().length);
  });
});

it('reports what does not compile', async () => {
  const engine = new Engine({ ...gpu, readKernel: () => '@compute @workgroup_size(1) fn main() { oops(); }' });
  const errors = await engine.compile({ file: 'broken' });
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain('oops');
});

it('has a header in every kernel', () => {
  const folder = new URL('../../kernels/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.wgsl'));
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) expect(gpu.readKernel(file), file).toMatch(/^\/\/ /);
});
