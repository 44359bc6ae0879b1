/** Kernels whose tensors are stored in f32 or f16: one text for both, and no tensor bound as what it is not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { elements, kernelText, parseLayout } from '../../src/kernel/source.js';
import { affine } from '../../src/ops/elementwise.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const VALUES = Float32Array.of(1, -2.5, 65504, 2 ** -24, 1 + 2 ** -10, 0.1, 7);

it('a tensor of f16 holds the nearest numbers, and reads as f32', async () => {
  const x = e.upload(VALUES, [7], 'f16');
  expect(x.dtype).toBe('f16');
  const rounded = Float32Array.from(VALUES);
  rounded[5] = 1638 / 2 ** 14;
  expect(await e.read(x)).toEqual(rounded);
  e.release(x);
});

it('takes half the memory', () => {
  const before = e.memory().inUse;
  const half = e.empty([4096], 'f16');
  expect(e.memory().inUse - before).toBe(8192);
  e.release(half);
});

it('names the types of elements, and enables f16 where one asks for it', () => {
  const [x, y] = [e.empty([4], 'f16'), e.empty([4])];
  const constants = elements({ X: x, Y: y }, 4);
  expect(constants).toEqual({ X: 'vec4h', Y: 'vec4f' });
  expect(elements({ X: x, Y: y })).toEqual({ X: 'f16', Y: 'f32' });
  const text = kernelText({ file: 'affine', constants }, gpu.readKernel);
  expect(text).toMatch(/^enable f16;\nalias X = vec4h;\nalias Y = vec4f;\n/);
  expect([...parseLayout(text).halves]).toEqual([0]);
  expect(kernelText({ file: 'affine', constants: elements({ X: y, Y: y }, 4) }, gpu.readKernel)).not.toContain(
    'enable',
  );
  for (const tensor of [x, y]) e.release(tensor);
});

it('refuses a tensor of another type than the kernel reads, also where the right one lay', () => {
  const [x, y] = [e.empty([8], 'f16'), e.empty([4])];
  const run = { file: 'affine', params: { size: 4, scale: 1, shift: 0 }, grid: [1] as const };
  const constants = elements({ X: y, Y: y }, 4);
  e.dispatch({ ...run, constants, tensors: [{ ...x, shape: [4], dtype: 'f32' }, y] });
  expect(() => e.dispatch({ ...run, constants, tensors: [x, y] })).toThrow(/a tensor of f16 at 0/);
  for (const tensor of [x, y]) e.release(tensor);
});

it('converts between the two, and beyond the largest number to infinity', async ({ skip }) => {
  if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
  const x = e.upload(Float32Array.of(0.1, 65519, 65520, -1e9, 3e-8), [5]);
  const half = affine(e, x, 1, 0, e.empty([5], 'f16'));
  const expected = [1638 / 2 ** 14, 65504, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** -24];
  expect([...(await e.read(half))]).toEqual(expected);
  const doubled = affine(e, half, 2, 0, e.empty([5]));
  expect([...(await e.read(doubled))]).toEqual(expected.map((value) => 2 * value));
  for (const tensor of [x, half, doubled]) e.release(tensor);
});
