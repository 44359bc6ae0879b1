/** cbam beyond what its record tests: ties, shared sums as on a GPU, frozen inputs, dispatches, hostile gates. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseInputs, checkCase, describeCase } from '../../src/autograd/check.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { BASE } from '../../src/kernel/choose.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { cbam } from '../../src/ops/cbam.js';
import type { Op } from '../../src/ops/define.js';
import { teamWidth } from '../../src/ops/team.js';

const op = cbam as unknown as Op;
const LEAKY = { activation: 'leaky_relu', slope: 0.2 } as const;

let gpu: Gpu;
let engine: Engine;
/** Chooses kernels as on a real GPU, where invocations share sums. */
let sharing: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
  sharing = new Engine({ ...gpu, info: { ...gpu.info, software: false } });
});

afterAll(() => gpu?.close());

/** x [1, C, 1, W] and parameters whose gates are all 1/2, with the weights of the MLP and of the convolution as given. */
function halfOpen(channels: number, x: readonly number[], mlp = 0, spatial = 0): Tensor[] {
  const constant = (shape: number[], value: number): Tensor =>
    engine.upload(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value), shape);
  return [
    engine.upload(Float32Array.from(x), [1, channels, 1, x.length / channels]),
    ...[constant([1, channels], mlp), constant([1], 0), constant([channels, 1], mlp), constant([channels], 0)],
    ...[constant([1, 2, 1, 1], spatial), constant([1], 1), constant([1], 0), constant([1], 0), constant([1], 1)],
  ];
}

async function gradientOfX(inputs: Tensor[], gy: readonly number[]): Promise<number[]> {
  const [x] = inputs as [Tensor];
  const gradients = new Gradients([x]);
  const tape = new Tape(engine, gradients);
  const y = tape.apply(op, inputs, { training: false });
  tape.backward(y, engine.upload(Float32Array.from(gy), x.shape));
  return [...(await engine.read(gradients.of(x)!))];
}

describe('values that tie for a maximum share its gradient', () => {
  it('in a plane', async () => {
    // Without MLP and convolution both gates are 1/2. A small MLP passes a gradient on, to the mean and the maxima.
    const x = [1, 3, 3, 0, 2, 3];
    const gy = [1, 1, 1, 1, 1, 1];
    expect(await gradientOfX(halfOpen(1, x), gy)).toEqual(new Array(6).fill(0.25));
    const gradient = await gradientOfX(halfOpen(1, x, 0.1), gy);
    expect(gradient[1]).toBe(gradient[2]);
    expect(gradient[1]).toBe(gradient[5]);
    expect(gradient[0]).toBe(gradient[3]);
    // Of what the mean and the maximum get, here equal, the maximum's is for three, the mean's for six.
    expect((gradient[1]! - gradient[0]!) * 3).toBeCloseTo((gradient[0]! - ownPart(x)) * 6, 6);
  });

  it('among channels', async () => {
    const x = [5, 1, 5, 2, 4, 2];
    // Two pixels of three channels: channels 0 and 1 tie in the first, 1 and 2 in the second.
    const gradient = await gradientOfX(halfOpen(3, x, 0, 0.1), [1, 1, 1, 1, 1, 1]);
    expect(gradient[0]).toBe(gradient[2]);
    expect(gradient[3]).toBe(gradient[5]);
    expect(gradient[0]).toBeGreaterThan(gradient[4]!);
    expect(gradient[3]).toBeGreaterThan(gradient[1]!);
  });
});

/** The gradient of a value of `x` that no pool passes on: both gates, of which the channel's is open by the MLP of 0.1. */
function ownPart(x: readonly number[]): number {
  const pooled = x.reduce((sum, value) => sum + value, 0) / x.length + Math.max(...x);
  return 0.5 / (1 + Math.exp(-0.01 * pooled));
}

it('takes four dispatches and five back, beside those of its convolution and its batch norm', () => {
  const test = { ...cbam.cases[1]!, attrs: { training: true, ...LEAKY } };
  const files: string[] = [];
  const watched: Engine = Object.create(engine);
  watched.dispatch = (run) => {
    if (run.file.startsWith('cbam')) files.push(run.file);
    engine.dispatch(run);
  };
  const tensors = caseInputs(op, test).map((input) => engine.upload(Float32Array.from(input!.data), input!.shape));
  const tape = new Tape(watched, new Gradients(tensors));
  const y = tape.apply(op, tensors, test.attrs);
  expect(files.splice(0)).toEqual(['cbam_pool', 'cbam_mlp', 'cbam_channel_pool', 'cbam_gate']);
  tape.backward(y, y);
  const back = ['gate_gradient', 'channel_gradient', 'mlp_gradient', 'mlp_weight_gradient', 'input_gradient'];
  expect(files).toEqual(back.map((name) => `cbam_${name}`));
});

it('gives the parameters the same gradients when x and the residual are frozen', async () => {
  const test = cbam.cases[1]!;
  const inputs = caseInputs(op, test);
  const run = async (frozen: readonly number[]) => {
    const tensors = inputs.map((input) => engine.upload(Float32Array.from(input!.data), input!.shape));
    const gradients = new Gradients(tensors.filter((_, i) => !frozen.includes(i)));
    const tape = new Tape(engine, gradients);
    const y = tape.apply(op, tensors, test.attrs);
    tape.backward(y, y);
    return Promise.all(
      tensors.map(async (tensor) => gradients.of(tensor) && [...(await engine.read(gradients.of(tensor)!))]),
    );
  };
  const all = await run([8, 9]);
  const some = await run([0, 2, 8, 9, 10]);
  expect(some[0]).toBeUndefined();
  expect(some[10]).toBeUndefined();
  for (const i of [1, 3, 4, 5, 6, 7]) expect(some[i]).toEqual(all[i]);
});

it('has gates that neither overflow nor lose what is far below zero', async () => {
  const inputs = halfOpen(1, [-30, -30]);
  const [, weight1, , weight2] = inputs as [Tensor, Tensor, Tensor, Tensor];
  engine.write(weight1, Float32Array.of(-1));
  for (const [factor, gate] of [
    [1, 1],
    [-1, Math.exp(-60)],
    [-1000, 0],
  ] as const) {
    engine.write(weight2, Float32Array.of(factor));
    const [value] = await engine.read(new Tape(engine).apply(op, inputs, { training: false }));
    expect(value! / (-30 * 0.5 * (gate || 1))).toBeCloseTo(gate ? 1 : 0, 5);
  }
});

describe('with invocations that share sums', () => {
  it.each(cbam.cases.map((test) => [describeCase(op, test), test] as const))('%s', async (_title, test) => {
    const result = await checkCase(sharing, op, test);
    expect(result.forward.error, result.forward.where).toBeLessThan(op.tolerance.forward);
    expect(result.gradient?.error, result.gradient?.where).toBeLessThan(op.tolerance.gradient);
    expect(result.deterministic).toBe(true);
  });

  it('does so in every kernel that sums', () => {
    const kernels = sharing.compiledKernels().join('\n');
    expect(kernels.match(/^cbam_pool\+.*WIDTH=64$/m)).not.toBeNull();
    expect(kernels.match(/^cbam_channel_gradient\+.*WIDTH=64$/m)).not.toBeNull();
    expect(kernels.match(/^cbam_channel_pool\+.*WIDTH=8$/m)).not.toBeNull();
    expect(kernels.match(/^cbam_gate_gradient\+.*WIDTH=8;ACTIVATION=0$/m)).not.toBeNull();
  });
});

describe('teamWidth', () => {
  const onGpu = { ...BASE, f16: true };
  const onCpu = { ...BASE, software: true, lanes: 8 as const, f16: true };

  it('shares long sums only, and on the CPU few sums only', () => {
    expect(teamWidth(onGpu, 4096, 1024, 64)).toBe(64);
    expect(teamWidth(onGpu, 4096, 64, 64)).toBe(1);
    expect(teamWidth(onCpu, 4096, 1024, 64)).toBe(1);
    expect(teamWidth(onCpu, 16, 1024, 64)).toBe(64);
  });
});

it('shapes that do not fit are told', () => {
  const { shapes, attrs } = cbam.cases[1]!;
  const withShape = (i: number, shape: number[]) => shapes.map((own, j) => (i === j ? shape : own));
  expect(() => cbam.shape(withShape(0, [2, 3]), attrs)).toThrow(
    'cbam: x must have 4 dimensions; the shapes are [2, 3]',
  );
  expect(() => cbam.shape(withShape(3, [3, 7]), attrs)).toThrow('cbam: weight2 must be [7,3] for x');
  expect(() => cbam.shape(withShape(5, [1, 2, 6, 7]), attrs)).toThrow('cbam: spatial must be [1, 2, KH, KW]');
  expect(() => cbam.shape(withShape(9, [2]), attrs)).toThrow('cbam: runningVar must be [1]');
  expect(() => cbam.shape(withShape(10, [2, 7, 5, 1]), attrs)).toThrow('cbam: residual must have the shape of x');
});
