/** The recipe of ARCHITECTURE.md: an op is a kernel and a record, and its checks come from the record alone. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkCase } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine, gridFor } from '../../src/kernel/engine.js';
import { sizeOf, type Tensor, vectors } from '../../src/memory/tensor.js';
import { defineOp, type Op } from '../../src/ops/define.js';
import { binary } from '../../src/ops/elementwise.js';

// 1. The kernel.
const SQUARE = `
// y[i] = FACTOR x[i]^2, four values at a time.
struct Params {
  vectors: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < p.vectors) {
    y[id.x] = f32(FACTOR) * x[id.x] * x[id.x];
  }
}
`;

// 2. The record. `slope` of the gradient is a parameter here only so that a wrong one can be tried.
const square = (slope: number): Op =>
  defineOp<object, readonly [Tensor]>({
    name: 'square',
    summary: 'y = 2 x^2',
    inputs: ['x'],
    shape: ([x]) => x!,
    forward(e, [x], _attrs, shape) {
      const y = e.empty(shape);
      const params = { vectors: vectors(x) };
      e.dispatch({
        file: 'square',
        constants: { FACTOR: 2 },
        tensors: [x, y],
        params,
        grid: gridFor(params.vectors, 64),
      });
      return { y };
    },
    saves: ['x'],
    backward(e, { x }, gy, _attrs, [want]) {
      const scaled = binary(e, 'mul', gy, e.upload(Float32Array.of(slope), [1]));
      return [want && binary(e, 'mul', scaled, x!)];
    },
    reference: ([x]) => ({ y: { shape: x!.shape, data: x!.data.map((v) => 2 * v * v) } }),
    flops: ([x]) => 2 * sizeOf(x!),
    cases: [{ shapes: [[3, 5]], attrs: {} }],
  }) as unknown as Op;

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine({ ...gpu, readKernel: (file) => (file === 'square.wgsl' ? SQUARE : gpu.readKernel(file)) });
});

afterAll(() => gpu?.close());

it('checks forward, gradient and determinism of a new op from its record', async () => {
  const op = square(4);
  const result = await checkCase(engine, op, op.cases[0]!);
  expect(result.forward.error).toBeLessThan(op.tolerance.forward);
  expect(result.gradient!.error).toBeLessThan(op.tolerance.gradient);
  expect(result.deterministic).toBe(true);
});

it('finds a wrong gradient, and says where', async () => {
  const op = square(3);
  const { gradient } = await checkCase(engine, op, op.cases[0]!);
  expect(gradient!.error).toBeGreaterThan(0.1);
  expect(gradient!.where).toMatch(/^d\/dx\[\d+\] = /);
});

it('finds a gradient that is missing', async () => {
  const op: Op = { ...square(4), backward: () => [] };
  const { gradient } = await checkCase(engine, op, op.cases[0]!);
  expect(gradient).toEqual({ error: Number.POSITIVE_INFINITY, where: 'd/dx is missing' });
});

it('names a parameter that the kernel wants and nobody gives', () => {
  const x = engine.empty([4]);
  const dispatch = {
    file: 'square',
    constants: { FACTOR: 2 },
    tensors: [x, engine.empty([4])],
    params: {},
    grid: [1] as const,
  };
  expect(() => engine.dispatch(dispatch)).toThrow(/needs the parameter vectors/);
});
