/** What the GEMM cores do at the edges of WebGPU's limits. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { matmul } from '../../src/ops/matmul.js';

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
