/** A traced forward pass in float64, and op by op on the GPU. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { compareSteps, evaluate } from '../../src/autograd/steps.js';
import { Tracer } from '../../src/autograd/tracer.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { type Shape, sizeOf, type Tensor } from '../../src/memory/tensor.js';
import { batchNorm } from '../../src/ops/batchNorm.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { affine } from '../../src/ops/elementwise.js';
import { mean } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/shape.js';
import { spectralNorm } from '../../src/ops/spectralNorm.js';
import { type Array64, fromFloat32 } from '../../src/reference/array.js';
import * as oracles from '../../src/reference/index.js';
import { normal } from '../../src/reference/random.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const X: Shape = [3, 2, 5, 4];
const NORM = { training: true, activation: 'relu' } as const;

/** x -> mean(batch norm(conv2d(x))), the norm applied twice; `convolve` in the place of conv2d. */
function traced(convolve = conv2d) {
  const given = new Map<Tensor, Array64>();
  const drawn = (shape: Shape): Tensor => {
    const data = Float32Array.from(normal(1, given.size, sizeOf(shape)));
    const tensor = e.upload(data, shape);
    given.set(tensor, fromFloat32(shape, data));
    return tensor;
  };
  const [x, weight, gain, bias, runningMean] = [X, [4, 2, 3, 3], [4], [4], [4]].map(drawn) as Tensor[];
  const runningVar = e.upload(Float32Array.of(1, 2, 3, 4), [4]);
  given.set(runningVar, fromFloat32([4], Float32Array.of(1, 2, 3, 4)));
  const tape = new Tracer();
  const norm = (input: Tensor): Tensor => tape.apply(batchNorm, [input, gain, bias, runningMean!, runningVar], NORM);
  const y = norm(norm(tape.apply(convolve, [x!, weight!], { padding: [1, 1] })));
  const flat = tape.apply(reshape, [y], { shape: [3, 80] });
  const result = tape.apply(mean, [flat], { dims: [1] });
  return {
    steps: tape.steps,
    given,
    result,
    runningMean: runningMean!,
    runningVar,
    parameters: [x!, weight!, gain!, bias!],
  };
}

it('computes in float64 what the references compute one after another', () => {
  const { steps, given, result, runningMean, runningVar, parameters } = traced();
  const [x, weight, gain, bias] = parameters.map((tensor) => given.get(tensor)!);
  const conv = oracles.conv2d([x, weight], { padding: [1, 1] }).y;
  const first = oracles.batchNorm([conv, gain, bias, given.get(runningMean), given.get(runningVar)], NORM);
  const second = oracles.batchNorm([first.y, gain, bias, first.runningMean, first.runningVar], NORM);
  const values = evaluate(steps, given);
  expect(values.get(runningVar)).toEqual(second.runningVar);
  expect(values.get(result)!.data).toEqual(
    oracles.mean([{ shape: [3, 80], data: second.y.data }], { dims: [1] }).y.data,
  );
  expect(given.size).toBe(6);
});

it('finds all steps of a right network right, and gives their memory back', async () => {
  const { steps, given } = traced();
  const { inUse } = e.memory();
  const errors = await compareSteps(e, steps, given);
  expect(e.memory().inUse).toBe(inUse);
  // A norm writes its result and two running statistics.
  expect(errors).toHaveLength(9);
  for (const { worst, tolerance } of errors) expect(worst.error, worst.where).toBeLessThan(tolerance);
  expect(Math.max(...errors.map(({ worst }) => worst.error))).toBeGreaterThan(0);
});

it('blames the kernel that is wrong, and none after it', async () => {
  const { steps, given } = traced({
    ...conv2d,
    forward: (engine, inputs, attrs, shape) => ({
      y: affine(engine, conv2d.forward(engine, inputs, attrs, shape).y, 1.01),
    }),
  });
  const wrong = (await compareSteps(e, steps, given)).filter(({ worst, tolerance }) => worst.error > tolerance);
  expect(wrong).toHaveLength(1);
  expect(wrong[0]!.worst.where).toMatch(/^operation 1, conv2d, y\[/);
  expect(wrong[0]!.worst.error).toBeCloseTo(0.01, 4);
});

it('computes what was applied together together', async () => {
  const given = new Map<Tensor, Array64>();
  const drawn = (shape: Shape): Tensor => {
    const data = Float32Array.from(normal(2, given.size, sizeOf(shape)));
    const tensor = e.upload(data, shape);
    given.set(tensor, fromFloat32(shape, data));
    return tensor;
  };
  const sets = () => [4, 6].map((rows) => [drawn([rows, 5]), drawn([rows]), drawn([5])] as const);
  const right = new Tracer();
  right.applyEach(spectralNorm, sets(), { iterations: 1 });
  const errors = await compareSteps(e, right.steps, given);
  expect(errors.map(({ worst, tolerance }) => worst.error < tolerance)).toEqual(Array(6).fill(true));

  // Each by itself is right; all in one go are not.
  const wrong = new Tracer();
  const together = vi.fn(
    (engine: Engine, all: Parameters<typeof spectralNorm.forward>[1][], attrs: { iterations: number }) =>
      spectralNorm.forwardEach!(engine, all, attrs).map((result, i) =>
        i === 0 ? result : { ...result, y: affine(engine, result.y, 2) },
      ),
  );
  wrong.applyEach({ ...spectralNorm, forwardEach: together as typeof spectralNorm.forwardEach }, sets(), {
    iterations: 1,
  });
  const found = (await compareSteps(e, wrong.steps, given)).filter(({ worst, tolerance }) => worst.error > tolerance);
  expect(together).toHaveBeenCalledOnce();
  expect(found.map(({ worst }) => worst.where)).toEqual([expect.stringMatching(/^operation 1, spectral_norm, weight/)]);
});

it('names what it was not given', () => {
  const { steps, given, parameters } = traced();
  given.delete(parameters[1]!);
  expect(() => evaluate(steps, given)).toThrow('conv2d: its input weight has no values');
});
