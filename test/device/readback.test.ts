/** Reading back: the right bytes, through buffers of which only small ones are kept. */
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { Commands } from '../../src/device/commands.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Pipelines } from '../../src/device/pipelines.js';
import { MOST_KEPT, Readback } from '../../src/device/readback.js';

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu();
});

afterEach(() => vi.restoreAllMocks());

afterAll(() => gpu?.close());

it('keeps no more than a batch of images takes', async () => {
  const readback = new Readback(gpu, new Commands(gpu, new Pipelines(gpu)));
  const bytes = MOST_KEPT + 8;
  const buffer = gpu.device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  gpu.device.queue.writeBuffer(buffer, bytes - 8, Uint32Array.of(7, 11));
  const create = vi.spyOn(gpu.device, 'createBuffer');
  const made = () => create.mock.results.map(({ value }) => value as GPUBuffer);

  const all = await readback.read(buffer, 0, bytes);
  expect([...new Uint32Array(all, bytes - 8)]).toEqual([7, 11]);
  // A buffer that is destroyed has no contents to map.
  expect(made().map(({ size }) => size)).toEqual([bytes]);
  await expect(made()[0]!.mapAsync(GPUMapMode.READ)).rejects.toThrow();

  for (let i = 0; i < 2; i++) {
    expect([...new Uint32Array(await readback.read(buffer, bytes - 8, 8))]).toEqual([7, 11]);
    expect((await readback.read(buffer, 8, MOST_KEPT)).byteLength).toBe(MOST_KEPT);
  }
  expect(made().map(({ size }) => size)).toEqual([bytes, 256, MOST_KEPT]);
  buffer.destroy();
});
