/** Training on a tiny data set: it runs, stops, goes on bit for bit, and complains in sentences. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NO_AUGMENTATION } from '../../src/data/augment.js';
import type { Dataset } from '../../src/data/read.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { readLog } from '../../src/io/log.js';
import { readSafetensors } from '../../src/io/safetensors.js';
import { Engine } from '../../src/kernel/engine.js';
import { uniform } from '../../src/reference/random.js';
import { loadGan, readCheckpoint } from '../../src/train/checkpoint.js';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { checkConfig } from '../../src/train/config.js';
import { createGan, createGenerator } from '../../src/train/gan.js';
import { createGanStep, type GanBatch } from '../../src/train/ganStep.js';
import { generateImages, toLevels } from '../../src/train/sample.js';
import { trainGan } from '../../src/train/trainer.js';
import { temporaryFolder } from '../temporary.js';
import { TINY as CONFIG, highAndLow } from './tiny.js';

/** The last line of the log when a checkpoint was written. */
const loggedBefore = vi.hoisted(() => new Map<string, object | undefined>());

vi.mock(import('../../src/train/checkpoint.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    saveCheckpoint: async (engine, dir, gan, info) => {
      const file = await real.saveCheckpoint(engine, dir, gan, info);
      loggedBefore.set(file, readLog(path.join(dir, '..', 'log.jsonl')).at(-1));
      return file;
    },
  };
});

let gpu: Gpu;
let e: Engine;
const folder = temporaryFolder();
let dataset: Dataset;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
  dataset = await highAndLow(folder);
});

afterAll(() => gpu?.close());

const train = (out: string, options: Partial<Parameters<typeof trainGan>[0]> = {}) =>
  trainGan({ engine: e, dataset, config: CONFIG, out: path.join(folder, out), synthetic: false, ...options });

const tensorsOf = async (out: string) => readSafetensors((await latestCheckpoint(path.join(folder, out)))!).tensors;

describe('a run', () => {
  it('leaves config, log, checkpoints and sample sheets, and computes the same twice', async () => {
    const result = await train('a');
    expect(result).toMatchObject({ step: 6, complete: true });
    const run = path.join(folder, 'a');
    expect(JSON.parse(await readFile(path.join(run, 'config.json'), 'utf8'))).toEqual(CONFIG);
    expect(await readdir(path.join(run, 'samples'))).toEqual(['real.png', 'step-000004.png', 'step-000006.png']);
    expect(await readdir(path.join(run, 'tensorboard'))).toHaveLength(1);
    expect(await readdir(path.join(run, 'checkpoints'))).toHaveLength(4);
    const losses = readLog(path.join(run, 'log.jsonl')).filter(({ lossD }) => lossD !== undefined);
    expect(losses.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    // So nothing is missing of a run that is killed as soon as its last checkpoint is there.
    const end = { step: 6, peakGpuBytes: expect.any(Number), adapter: gpu.info.name };
    expect(loggedBefore.get(result.checkpoint)).toMatchObject(end);
    for (const { loaderWait } of losses) expect(loaderWait).toBeGreaterThan(0);

    await train('b');
    expect(await tensorsOf('b')).toEqual(await tensorsOf('a'));
  });

  it('goes on from a checkpoint to the very same bits', async () => {
    const controller = new AbortController();
    const stopped = await train('c', {
      signal: controller.signal,
      onStep: (step) => step === 3 && controller.abort(),
    });
    expect(stopped.complete).toBe(false);
    const checkpoint = await readCheckpoint(path.join(folder, 'c'));
    expect(checkpoint.step).toBe(stopped.step);
    expect(await train('c', { checkpoint })).toMatchObject({ step: 6, complete: true });
    expect(await readdir(path.join(folder, 'c', 'tensorboard'))).toHaveLength(2);
    expect(await tensorsOf('c')).toEqual(await tensorsOf('a'));
    const steps = readLog(path.join(folder, 'c', 'log.jsonl')).filter(({ lossD }) => lossD !== undefined);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('begun anew in the folder of an old one shows no pictures of that', async () => {
    const run = path.join(folder, 'anew');
    await mkdir(path.join(run, 'samples'), { recursive: true });
    for (const sheet of ['step-000002.png', 'step-000900.png', 'mine.png']) {
      await writeFile(path.join(run, 'samples', sheet), 'old');
    }
    await train('anew');
    const sheets = ['mine.png', 'real.png', 'step-000004.png', 'step-000006.png'];
    expect(await readdir(path.join(run, 'samples'))).toEqual(sheets);
  });

  it('augmented goes on to the very same bits, and is another run than one that is not', async () => {
    const augment = { ...NO_AUGMENTATION, timeShift: 0.5, gain: 6, background: 0.5, timeMask: 0.2 };
    const config = checkConfig({ ...CONFIG, augment, steps: 4 }, 'the test');
    const notes: string[] = [];
    await train('augmented', { config, onNote: (line) => notes.push(line) });
    expect(notes).toEqual(['There is no class "noise" among the training images: no background is mixed in.']);
    await train('parts', { config: { ...config, steps: 2 } });
    await train('parts', { config, checkpoint: await readCheckpoint(path.join(folder, 'parts')) });
    expect(await tensorsOf('parts')).toEqual(await tensorsOf('augmented'));
    await train('plain', { config: { ...CONFIG, steps: 4 } });
    expect(await tensorsOf('plain')).not.toEqual(await tensorsOf('augmented'));
  });

  it('in colours has networks of three channels and makes pictures of three', async () => {
    const config = checkConfig({ ...CONFIG, channels: 3, steps: 2, balanced: true }, 'the test');
    await train('colours', { config });
    const tensors = await tensorsOf('colours');
    expect(tensors.get('g.to_image.weight')!.shape.slice(0, 2)).toEqual([3, 4]);
    expect(tensors.get('d.convs.0.layer.weight')!.shape.slice(0, 2)).toEqual([4, 3]);
    const checkpoint = await readCheckpoint(path.join(folder, 'colours'));
    const g = createGenerator(e, checkpoint.config, 2);
    const images = await generateImages(e, g, Int32Array.of(0, 1), { seed: 1, batch: 2 });
    expect(images).toHaveLength(2 * 3 * 32 * 32);
    const [first] = toLevels(images, 32, 3);
    const level = (value: number) => Math.round(((value + 1) / 2) * 255);
    expect([...first!.subarray(3, 6)]).toEqual([1, 1025, 2049].map((at) => level(images[at]!)));
  });

  it('takes no more memory in the fiftieth step than in the third', async () => {
    const gan = createGan(e, CONFIG, 2);
    const step = createGanStep(e, gan, CONFIG, CONFIG.batch);
    const labels = Int32Array.of(0, 1, 0, 1);
    const images = new Float32Array(4 * 32 * 32);
    const batch = (): GanBatch => {
      const z = () => e.upload(new Float32Array(4 * CONFIG.latent).fill(0.5), [4, CONFIG.latent]);
      return { images, labels, zd: z(), zdLabels: labels, zg: z(), zgLabels: labels };
    };
    const once = async () => e.release(e.scope(() => step.run(batch())));
    for (let i = 0; i < 3; i++) await once();
    await e.sync();
    const { bytes, allocations } = e.memory();
    for (let i = 0; i < 50; i++) await once();
    await e.sync();
    expect(e.memory()).toMatchObject({ bytes, allocations });
    step.destroy();
  });
});

describe('a run in mixed precision', () => {
  const config = { ...CONFIG, precision: 'f16' } as const;
  const lossesOf = (out: string) =>
    readLog(path.join(folder, out, 'log.jsonl')).filter(({ lossD }) => lossD !== undefined);

  it('computes the same twice, goes on to the very same bits, and logs and keeps its loss scales', async ({ skip }) => {
    if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    await train('f16-a', { config });
    expect(e.compiledKernels().some((kernel) => kernel.includes('vec4h'))).toBe(true);
    const controller = new AbortController();
    await train('f16-b', { config, signal: controller.signal, onStep: (step) => step === 3 && controller.abort() });
    const checkpoint = await readCheckpoint(path.join(folder, 'f16-b'));
    expect(checkpoint.step).toBeLessThan(6);
    await train('f16-b', { config, checkpoint });
    const tensors = await tensorsOf('f16-b');
    expect(tensors).toEqual(await tensorsOf('f16-a'));
    const [scale, good, skipped] = tensors.get('lossScaleD')!.data as Float32Array;
    expect([Math.log2(scale!) % 1, good! + skipped!]).toEqual([0, 6]);
    expect(lossesOf('f16-b').at(-1)).toMatchObject({ step: 6, lossScaleD: scale, lossScaleG: expect.any(Number) });
  });

  it('has the losses of one in f32, nearly', async ({ skip }) => {
    if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    await train('f32', { config: CONFIG });
    const [half, single] = [lossesOf('f16-a'), lossesOf('f32')];
    // The first update may be skipped in f16: then the second step meets the same networks once more.
    expect(half[0]!.lossD as number).toBeCloseTo(single[0]!.lossD as number, 2);
    expect(half[5]!.lossD as number).toBeCloseTo(single[5]!.lossD as number, 0);
  });

  it('goes on in the other precision, and says so', async ({ skip }) => {
    if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    const checkpoint = async () => readCheckpoint(path.join(folder, 'f32'));
    const notes: string[] = [];
    const onNote = (line: string): void => void notes.push(line);
    await train('f32', { config: { ...config, steps: 7 }, checkpoint: await checkpoint(), onNote });
    await train('f32', { config: { ...CONFIG, steps: 8 }, checkpoint: await checkpoint(), onNote });
    expect(notes).toEqual([
      'note: this run was in f32 so far; it goes on in f16',
      'note: this run was in f16 so far; it goes on in f32',
    ]);
    expect(lossesOf('f32').map(({ lossScaleD }) => lossScaleD !== undefined)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  it('skips an update that overflows, bit for bit, and tries a smaller scale', async ({ skip }) => {
    if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    const gan = createGan(e, config, 2);
    const step = createGanStep(e, gan, config, config.batch);
    const labels = Int32Array.of(0, 1, 0, 1);
    const images = Float32Array.from(uniform(3, 0, 4 * 32 * 32), (u) => 2 * u - 1);
    const once = async (): Promise<Float32Array> => {
      const z = e.upload(new Float32Array(4 * config.latent).fill(0.5), [4, config.latent]);
      return e.read(e.scope(() => step.run({ images, labels, zd: z, zdLabels: labels, zg: z, zgLabels: labels })));
    };
    const values = async () => [await e.read(gan.g.values), await e.read(gan.d.values)];
    e.write(gan.lossScaleD!.state, Float32Array.of(2 ** 32, 0, 0, 0));
    e.write(gan.lossScaleG!.state, Float32Array.of(1, 0, 0, 0));
    const [g, d] = await values();
    const after = await once();
    const [gAfter, dAfter] = await values();
    expect(dAfter).toEqual(d);
    expect(gAfter).not.toEqual(g);
    expect([...after.subarray(4)]).toEqual([2 ** 31, 1]);
    step.destroy();
  });

  it('goes on in f32 where there is no f16, and says so', async () => {
    const notes: string[] = [];
    const engine = new Engine(gpu, { f16: false });
    await train('no-f16', { engine, config, onNote: (line) => notes.push(line) });
    expect(notes).toEqual([`The adapter ${gpu.info.name} has no f16 (shader-f16): going on in f32.`]);
    expect(await tensorsOf('no-f16')).toEqual(await tensorsOf('a'));
  });
});

describe('a checkpoint', () => {
  it('generates without the data set, whatever the batch', async () => {
    const checkpoint = await readCheckpoint(path.join(folder, 'a'));
    const gan = createGan(e, checkpoint.config, 2);
    loadGan(e, checkpoint, gan);
    const labels = Int32Array.of(0, 1, 1, 0, 1);
    const together = await generateImages(e, gan.g, labels, { seed: 5, batch: 5 });
    const apart = await generateImages(e, gan.g, labels, { seed: 5, batch: 2 });
    expect(apart).toEqual(together);
    expect(together.every((v) => v > -1 && v < 1)).toBe(true);
    expect(await generateImages(e, gan.g, labels, { seed: 6, batch: 5 })).not.toEqual(together);
  });

  it('cut in half, of another format, or missing is a sentence', async () => {
    const file = (await latestCheckpoint(path.join(folder, 'a')))!;
    const cut = path.join(folder, 'cut.safetensors');
    const bytes = await readFile(file);
    await writeFile(cut, bytes.subarray(0, bytes.length / 2));
    await expect(readCheckpoint(cut)).rejects.toThrow(/cut\.safetensors/);
    await writeFile(cut, 'not a checkpoint at all');
    await expect(readCheckpoint(cut)).rejects.toThrow(/cut\.safetensors/);
    await expect(readCheckpoint(path.join(folder, 'nowhere'))).rejects.toThrow(/holds no checkpoints/);
  });

  it('of another shape says which tensor', async () => {
    const checkpoint = await readCheckpoint(path.join(folder, 'a'));
    const wider = createGan(e, { ...checkpoint.config, generatorWidths: [10, 6, 4] }, 2);
    expect(() => loadGan(e, checkpoint, wider)).toThrow(
      /does not fit.*fc\.weight has the shape \[512, 8\].*\[640, 8\]/,
    );
  });
});

describe('a config', () => {
  it('of before there was a choice of precision is one in f32', () => {
    const { precision: _, ...old } = CONFIG;
    expect(checkConfig(old, 'config.json')).toEqual(CONFIG);
  });

  it.each([
    [{ batch: 0 }, /"batch" \(0\)/],
    [{ precision: 'f64' }, /"precision" \("f64"\)/],
    [{ learningRateG: -1 }, /"learningRateG" \(-1\)/],
    [{ size: 48 }, /"size" \(48\)/],
    [{ colour: 'red' }, /colour/],
    [{ generatorWidths: [8, 8] }, /"generatorWidths" \(\[8,8\]\): gives images of 16 pixels, not 32/],
  ])('with %j names the field', (change, message) => {
    expect(() => checkConfig({ ...CONFIG, ...change }, 'config.json')).toThrow(message);
  });
});

it('learns: after some hundred steps on two plain classes the generator shows which is which', async () => {
  const steps = 250;
  const config = {
    ...CONFIG,
    batch: 8,
    steps,
    learningRateG: 2e-3,
    learningRateD: 1e-3,
    sampleEvery: steps,
    checkpointEvery: steps,
  };
  await train('learns', { config });
  const checkpoint = await readCheckpoint(path.join(folder, 'learns'));
  const g = createGenerator(e, checkpoint.config, 2);
  loadGan(e, checkpoint, { ...createGan(e, checkpoint.config, 2), g });
  const labels = Int32Array.from({ length: 32 }, (_, i) => i % 2);
  const images = await generateImages(e, g, labels, { seed: 1, batch: 16 });
  // How much brighter the upper half of a class's images is than the lower one, on average.
  const contrast = [0, 0];
  images.forEach((value, i) => {
    contrast[labels[Math.floor(i / 1024)]!]! += ((i % 1024 < 512 ? 1 : -1) * value) / (16 * 512);
  });
  expect(dataset.classes).toEqual(['high', 'low']);
  expect(contrast[0]).toBeGreaterThan(0.2);
  expect(contrast[1]).toBeLessThan(-0.2);
});
