/** What the GEMM cores do at the edges of WebGPU's limits, and which works are the same. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { linear, matmul } from '../../src/ops/matmul.js';

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu();
});

afterAll(() => gpu?.close());

// More tiles in a row than a dimension has workgroups: the first with tiles of 64 columns, the second with tiles of 16,
// where there are several rows of tiles too.
it.each([
  [2, 65_537 * 64 + 3],
  [17, 65_537 * 16 + 3],
])('folds long rows of tiles: %i x %i', async (rows, columns) => {
  const engine = new Engine(gpu);
  const a = engine.upload(
    Float32Array.from({ length: rows }, (_, i) => i + 1),
    [rows, 1],
  );
  const b = engine.upload(
    Float32Array.from({ length: columns }, (_, i) => i % 1000),
    [1, columns],
  );
  const product = await engine.read(engine.scope(() => new Tape(engine).apply(matmul, [a, b], {})));
  let wrong = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (product[row * columns + column] !== (row + 1) * (column % 1000)) wrong++;
    }
  }
  expect(wrong).toBe(0);
});

// Packed operands have a place for a bias in rows only: one engine is to do both, whichever comes first.
it.each([[[false, true]], [[true, false]]])('multiplies with a bias and without one: %j', async (order) => {
  const engine = new Engine(gpu, { software: true, lanes: 0 });
  const [rows, inputs, outputs] = [64, 256, 256];
  const x = engine.upload(new Float32Array(rows * inputs).fill(1), [rows, inputs]);
  const weight = engine.upload(new Float32Array(outputs * inputs).fill(2), [outputs, inputs]);
  const bias = engine.upload(new Float32Array(outputs).fill(3), [outputs]);
  for (const biased of order) {
    const y = new Tape(engine).apply(linear, [x, weight, biased ? bias : undefined], {});
    expect(new Set(await engine.read(y))).toEqual(new Set([2 * inputs + (biased ? 3 : 0)]));
  }
});
