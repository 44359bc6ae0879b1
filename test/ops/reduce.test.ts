/** max where several values are the greatest. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { type Shape, sizeOf } from '../../src/memory/tensor.js';
import { max, type ReduceAttrs } from '../../src/ops/reduce.js';

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
});

afterAll(() => gpu?.close());

/** The gradient of max by x, for a gradient of 1 in every place. */
async function gradientOf(values: readonly number[], shape: Shape, attrs: ReduceAttrs): Promise<number[]> {
  const x = engine.upload(Float32Array.from(values), shape);
  const gradients = new Gradients([x]);
  const tape = new Tape(engine, gradients);
  const y = tape.apply(max, [x], attrs);
  tape.backward(y, engine.upload(new Float32Array(sizeOf(y.shape)).fill(1), y.shape));
  return [...(await engine.read(gradients.of(x)!))];
}

/** `count` values, the greatest of which stand in three places. */
const withTies = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => ([1, 130, count - 2].includes(i) ? 7 : i % 5));

const shared = (values: readonly number[]): number[] => values.map((value) => (value === 7 ? Math.fround(1 / 3) : 0));

it('max shares its gradient evenly among ties', async () => {
  expect(await gradientOf([1, 3, 3, 0], [4], {})).toEqual([0, 0.5, 0.5, 0]);
  expect(await gradientOf([1, 3, 2, 3, 3, 0], [2, 3], { dims: [1] })).toEqual([0, 1, 0, 0.5, 0.5, 0]);
  expect(await gradientOf([1, 3, 2, 1, 3, 0], [2, 3], { dims: [0] })).toEqual([0.5, 0.5, 1, 0.5, 0.5, 0]);
});

// One by one and in fours, by several invocations: a workgroup's tree counts the ties.
it.each([403, 404])('of %i terms, too', async (count) => {
  const values = withTies(count);
  expect(await gradientOf(values, [count], {})).toEqual(shared(values));
});
