/** The best checkpoint: by a distance that tells likeness, kept whatever happens, and the same in a run that was torn. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Dataset, readDataset } from '../../src/data/read.js';
import { sourceOf } from '../../src/data/store.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { readLog } from '../../src/io/log.js';
import { Engine } from '../../src/kernel/engine.js';
import { normal } from '../../src/reference/random.js';
import { readCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.js';
import { checkpointFile, latestCheckpoint, newestCheckpoints } from '../../src/train/checkpointFiles.js';
import { checkConfig, presetConfig, type TrainConfig } from '../../src/train/config.js';
import { createGauge } from '../../src/train/distance.js';
import { createGan } from '../../src/train/gan.js';
import { generateImages, noiseIndex } from '../../src/train/sample.js';
import { trainGan } from '../../src/train/trainer.js';
import { pictures, put, TINY } from '../cli/fixtures.js';
import { temporaryFolder } from '../temporary.js';

/** What images were asked for, by the numbers of their noise. */
const asked = vi.hoisted(() => [] as number[][]);

vi.mock(import('../../src/train/sample.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    generateImages: (e, g, labels, options) => {
      asked.push([...(options.indices ?? labels.keys())]);
      return real.generateImages(e, g, labels, options);
    },
  };
});

const config = { ...presetConfig('small', 32), ...TINY, steps: 8, sampleEvery: 2, checkpointEvery: 3, ema: 0.5 };
const CONFIG: TrainConfig = checkConfig(config, 'the test');

const folder = temporaryFolder();
let gpu: Gpu;
let e: Engine;
let dataset: Dataset;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
  dataset = await readDataset(await pictures(path.join(folder, 'images'), ['blue', 'red']));
});
afterAll(() => gpu?.close());

const at = (...parts: string[]): string => path.join(folder, ...parts);
const bestOf = (name: string): string => at(name, 'checkpoints', 'best.safetensors');
const train = (name: string, options: Partial<Parameters<typeof trainGan>[0]> = {}) =>
  trainGan({ engine: e, dataset, config: CONFIG, out: at(name), synthetic: false, ...options });

describe('the distance', () => {
  const gaugeOf = (images: Float32Array, labels: Int32Array, seed: number) =>
    createGauge({ engine: e, train: sourceOf(images, labels, 32), classes: 2, seed, batch: 8 });

  it("is near zero to a generator's own images, and grows with what is unlike them", async () => {
    const g = createGan(e, CONFIG, 2).g;
    const labels = Int32Array.from({ length: 80 }, (_, i) => i % 2);
    const indices = [...labels].map((label, i) => noiseIndex(label, i));
    const own = await generateImages(e, g, labels, { seed: 9, indices, batch: 8 });
    const plane = 32 * 32;
    const brighter = own.map((value, i) => (labels[Math.floor(i / plane)] === 1 ? value + 0.2 : value));
    const swapped = labels.map((label) => 1 - label);
    const noise = Float32Array.from(normal(5, 0, own.length), (z) => Math.tanh(z));
    const distance = async (images: Float32Array, of = labels) => (await gaugeOf(images, of, 3)).measure(g);
    const same = (await distance(own))!;
    expect(Math.abs(same)).toBeLessThan(0.5);
    expect(await distance(own)).toBe(same);
    expect(await distance(brighter)).toBeGreaterThan(same + 1);
    expect(await distance(brighter, swapped)).toBeGreaterThan(same + 1);
    expect(await distance(noise)).toBeGreaterThan(same + 0.5);
  });

  it('is of other images than those which are generated and evaluated, as long as these are not a million', async () => {
    const g = createGan(e, CONFIG, 2).g;
    const gauge = await gaugeOf(new Float32Array(4 * 1024), Int32Array.of(0, 0, 1, 1), 1);
    asked.length = 0;
    await gauge.measure(g);
    const generated = [0, 1].map((label) => noiseIndex(label, 1_000_000));
    const noise = asked.flat();
    expect(new Set(noise).size).toBe(64);
    for (const [label, most] of generated.entries()) {
      expect(noise.filter((i) => i > most && i < noiseIndex(label + 1, 0))).toHaveLength(32);
    }
  });

  it('is a number of a class of one image, and of black ones; none of a generator that makes no numbers', async () => {
    const g = createGan(e, CONFIG, 2).g;
    const black = await gaugeOf(new Float32Array(3 * 1024).fill(-1), Int32Array.of(0, 0, 1), 1);
    expect(await black.measure(g)).toBeGreaterThan(0);
    e.write(g.values, new Float32Array(g.values.shape[0]!).fill(Number.NaN));
    expect(await black.measure(g)).toBeUndefined();
  });
});

describe('a run', () => {
  it('keeps the checkpoint whose distance was the least, and logs all', async () => {
    const { best } = await train('whole');
    const distances = readLog(at('whole', 'log.jsonl')).flatMap(({ step, kernelDistance }) =>
      kernelDistance === undefined ? [] : [{ step, kernelDistance: kernelDistance as number }],
    );
    expect(distances.map(({ step }) => step)).toEqual([2, 4, 6, 8]);
    const least = distances.reduce((a, b) => (b.kernelDistance < a.kernelDistance ? b : a));
    expect(await readCheckpoint(at('whole'), 'best')).toMatchObject(least);
    expect(best).toBe(least.step);
    const last = await readCheckpoint(at('whole'));
    expect([last.step, last.kernelDistance]).toEqual([8, undefined]);
  });

  it('that is torn ends with the same best, bit for bit', async () => {
    const controller = new AbortController();
    await train('torn', { signal: controller.signal, onStep: (step) => step === 3 && controller.abort() });
    await train('torn', { checkpoint: await readCheckpoint(at('torn')) });
    expect(readFileSync(bestOf('torn')).equals(readFileSync(bestOf('whole')))).toBe(true);
    // As if it had been killed after step 8, before that was saved: the best is of a step that comes again.
    rmSync((await latestCheckpoint(at('torn')))!);
    await train('torn', { checkpoint: await readCheckpoint(at('torn')) });
    expect(readFileSync(bestOf('torn')).equals(readFileSync(bestOf('whole')))).toBe(true);
  });

  it('that has nothing left but its best goes on from that', async () => {
    for (const file of (await newestCheckpoints(at('torn'))).slice(0, -1)) rmSync(file);
    const { step } = await readCheckpoint(at('torn'), 'best');
    const checkpoint = await readCheckpoint(at('torn'));
    expect(checkpoint.step).toBe(step);
    await train('torn', { checkpoint, config: { ...CONFIG, steps: 9 } });
    await train('whole', { checkpoint: await readCheckpoint(at('whole')), config: { ...CONFIG, steps: 9 } });
    expect((await readCheckpoint(at('torn'))).tensors).toEqual((await readCheckpoint(at('whole'))).tensors);
  });

  it('whose best is damaged says so, and finds another', async () => {
    put(bestOf('torn'), readFileSync(bestOf('torn')).subarray(0, 1000));
    const notes: string[] = [];
    const checkpoint = await readCheckpoint(at('torn'));
    const longer = { ...CONFIG, steps: 10 };
    await train('torn', { checkpoint, config: longer, onNote: (line) => notes.push(line) });
    expect(notes).toEqual([expect.stringMatching(/best\.safetensors".*The best one from now on takes its place/)]);
    expect(await readCheckpoint(at('torn'), 'best')).toMatchObject({ step: 10 });
  });

  it('whose weights are no numbers any more keeps the checkpoints that it has', async () => {
    const checkpoint = await readCheckpoint(at('whole'));
    const gan = createGan(e, CONFIG, 2);
    e.write(gan.g.values, new Float32Array(gan.g.values.shape[0]!).fill(Number.NaN));
    const dir = at('whole', 'checkpoints');
    const before = readdirSync(dir);
    await expect(saveCheckpoint(e, dir, gan, { ...checkpoint, step: 99 })).rejects.toThrow(
      /Training diverged: after step 99 the weights g\..* are no longer numbers, and are not saved/,
    );
    expect(readdirSync(dir)).toEqual(before);
  });
});

it('a run that diverges keeps its last and its best checkpoint, and names the last', async () => {
  await train('diverging');
  const dir = at('diverging', 'checkpoints');
  const files = readdirSync(dir).map((name) => path.join(dir, name));
  const before = files.map((file) => readFileSync(file));
  const checkpoint = await readCheckpoint(at('diverging'));
  for (const [name, { data }] of checkpoint.tensors) if (/^d\..*weight/.test(name)) data.fill(1e30);
  await expect(train('diverging', { checkpoint, config: { ...CONFIG, steps: 30 } })).rejects.toThrow(
    /Training diverged.* Step 8 is saved: ".*step-000008\.safetensors"/,
  );
  expect(files.map((file) => readFileSync(file))).toEqual(before);
});

describe('asked for one of several', () => {
  it('it is read, or those that there are are listed', async () => {
    expect(await checkpointFile(at('whole'), 6)).toBe(at('whole', 'checkpoints', 'step-000006.safetensors'));
    expect((await readCheckpoint(at('whole'), 6)).step).toBe(6);
    await expect(readCheckpoint(at('whole'), 5)).rejects.toThrow(
      /whole" holds no checkpoint of step 5: there are best, 6, 8, 9\./,
    );
    rmSync(bestOf('whole'));
    await expect(readCheckpoint(at('whole'), 'best')).rejects.toThrow(/holds no best checkpoint: there are 6, 8, 9\./);
    const file = (await latestCheckpoint(at('whole')))!;
    await expect(readCheckpoint(file, 'best')).rejects.toThrow(/is one checkpoint: name the folder of its run/);
    await expect(readCheckpoint(at('nowhere'), 'best')).rejects.toThrow(/nowhere" holds no checkpoints/);
    expect(existsSync(at('nowhere'))).toBe(false);
  });
});
