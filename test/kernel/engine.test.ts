/** The engine on a device that fails. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu({ backend: 'null' });
});

afterAll(() => gpu?.close());

it('says whose device was lost, why, and how to go on', async () => {
  const lost = { reason: 'unknown', message: 'hung\n  at QueueSubmit' } as GPUDeviceLostInfo;
  const e = new Engine({ ...gpu, lost: Promise.resolve(lost) });
  await expect(e.sync()).rejects.toThrow(/'null-backend' was lost: hung at QueueSubmit\. .*last checkpoint/);
});

it('has nothing to say of a device that was closed', async () => {
  const closed = { reason: 'destroyed', message: 'closed' } as GPUDeviceLostInfo;
  await expect(new Engine({ ...gpu, lost: Promise.resolve(closed) }).sync()).resolves.toBeUndefined();
});
