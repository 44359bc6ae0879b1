/** Checkpoints of other versions, and on a disk that is full. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../../src/io/safetensors.js';
import { Engine } from '../../src/kernel/engine.js';
import { loadGan, readCheckpoint, saveBest, saveCheckpoint } from '../../src/train/checkpoint.js';
import { createGan } from '../../src/train/gan.js';
import { generateImages } from '../../src/train/sample.js';
import { temporaryFolder } from '../temporary.js';

/** Written by the first version, after four steps of the smallest networks that work. */
const FIRST = fileURLToPath(new URL('fixtures/lyrebird-gan-1.safetensors', import.meta.url));

const disk = vi.hoisted(() => ({ full: false }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const open: typeof real.open = async (...args) => {
    const handle = await real.open(...args);
    if (disk.full && args[1] === 'wx') {
      handle.appendFile = async (data) => {
        await handle.write((data as Uint8Array).subarray(0, 1000));
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      };
    }
    return handle;
  };
  return { ...real, open };
});

const folder = temporaryFolder();
let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});
afterAll(() => gpu?.close());

it('of the first version is read, generates, and goes on', async () => {
  const checkpoint = await readCheckpoint(FIRST);
  expect(checkpoint).toMatchObject({ step: 4, classes: ['high', 'low'], synthetic: false, shown: null });
  expect(checkpoint.config).toMatchObject({ size: 32, latent: 4, precision: 'f32' });
  const gan = createGan(e, checkpoint.config, 2);
  loadGan(e, checkpoint, gan);
  expect(gan.optimizerG.step).toBe(4);
  const written = readSafetensors(FIRST).tensors;
  for (const [name, { data }] of await gan.g.state()) expect(data, name).toEqual(written.get(`g.${name}`)!.data);
  const images = await generateImages(e, gan.g, Int32Array.of(0, 1), { seed: 1, batch: 2 });
  expect(images.every((value) => value > -1 && value < 1)).toBe(true);
});

it('of a later version says so', async () => {
  const { tensors, metadata } = readSafetensors(FIRST);
  const file = path.join(folder, 'later.safetensors');
  const later = { ...metadata, format: 'lyrebird-gan/99' };
  await writeFile(file, writeSafetensors(tensors as Map<string, WritableTensor>, later));
  await expect(readCheckpoint(file)).rejects.toThrow(/later\.safetensors" was written by a newer version .*update it/);
});

it('stays if it is one of the newest three, or of every so many steps', async () => {
  const checkpoint = await readCheckpoint(FIRST);
  const gan = createGan(e, checkpoint.config, 2);
  const dir = path.join(folder, 'kept');
  const config = { ...checkpoint.config, keepEvery: 4 };
  for (let step = 1; step <= 11; step++) await saveCheckpoint(e, dir, gan, { ...checkpoint, config, step });
  const steps = (await readdir(dir)).map((name) => Number(/\d+/.exec(name)![0]));
  expect(steps.sort((a, b) => a - b)).toEqual([4, 8, 9, 10, 11]);
});

it('that the disk has no room for leaves the one before it as it was', async () => {
  const checkpoint = await readCheckpoint(FIRST);
  const gan = createGan(e, checkpoint.config, 2);
  loadGan(e, checkpoint, gan);
  const dir = path.join(folder, 'checkpoints');
  const file = await saveCheckpoint(e, dir, gan, checkpoint);
  await saveBest(e, dir, gan, { ...checkpoint, kernelDistance: 1 });
  const best = path.join(dir, 'best.safetensors');
  const [before, bestBefore] = [await readFile(file), await readFile(best)];
  disk.full = true;
  try {
    await expect(saveBest(e, dir, gan, { ...checkpoint, kernelDistance: 0 })).rejects.toThrow(
      /The disk is full: could not write ".*best\.safetensors"\. Free some space/,
    );
    for (const step of [4, 5])
      await expect(saveCheckpoint(e, dir, gan, { ...checkpoint, step })).rejects.toThrow(
        new RegExp(`The disk is full: could not write ".*step-00000${step}\\.safetensors"\\. Free some space`),
      );
  } finally {
    disk.full = false;
  }
  expect(await readdir(dir)).toEqual(['best.safetensors', path.basename(file)]);
  expect((await readFile(file)).equals(before)).toBe(true);
  expect((await readFile(best)).equals(bestBefore)).toBe(true);
});
