/** The average of the generator's weights: what it is, that it changes nothing else, and that a resumed run has the same one. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Tape } from '../../src/autograd/tape.js';
import { type Dataset, readDataset } from '../../src/data/read.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { BatchNorm } from '../../src/nn/layers.js';
import { Network } from '../../src/nn/network.js';
import { standingStatistics } from '../../src/nn/standing.js';
import { normal, uniform } from '../../src/reference/random.js';
import { type Checkpoint, openGenerator, readCheckpoint, weightsOf } from '../../src/train/checkpoint.js';
import { checkConfig, presetConfig, type TrainConfig } from '../../src/train/config.js';
import { createGan } from '../../src/train/gan.js';
import { createGanStep } from '../../src/train/ganStep.js';
import { generateImages, refreshStatistics } from '../../src/train/sample.js';
import { trainGan } from '../../src/train/trainer.js';
import { pictures, TINY } from '../cli/fixtures.js';
import { temporaryFolder } from '../temporary.js';

const CONFIG: TrainConfig = checkConfig({ ...presetConfig('small', 32), ...TINY, ema: 0.9 }, 'the test');

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

const train = async (name: string, options: Partial<Parameters<typeof trainGan>[0]> = {}): Promise<Checkpoint> => {
  const out = path.join(folder, name);
  await trainGan({ engine: e, dataset, config: CONFIG, out, synthetic: false, ...options });
  return readCheckpoint(out);
};

const tensorsOf = ({ tensors }: Checkpoint, prefix: RegExp) =>
  new Map([...tensors].filter(([name]) => prefix.test(name)));

it('begins where the generator does and follows it, step for step', async () => {
  const gan = createGan(e, CONFIG, 2);
  const step = createGanStep(e, gan, CONFIG, 4);
  const average = Float64Array.from(await e.read(gan.g.values));
  expect(await e.read(gan.ema!.values)).toEqual(Float32Array.from(average));
  const labels = Int32Array.of(0, 1, 0, 1);
  const images = Float32Array.from(uniform(3, 0, 4 * 32 * 32), (u) => 2 * u - 1);
  for (let t = 0; t < 3; t++) {
    const z = e.upload(Float32Array.from(normal(1, t, 4 * CONFIG.latent)), [4, CONFIG.latent]);
    e.release(e.scope(() => step.run({ step: t, images, labels, zd: z, zdLabels: labels, zg: z, zgLabels: labels })));
    const values = await e.read(gan.g.values);
    const decay = Math.min(0.9, (1 + t) / (10 + t));
    for (const [i, value] of values.entries()) average[i] = decay * average[i]! + (1 - decay) * value;
  }
  const found = await e.read(gan.ema!.values);
  const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - average[i]!)), 0);
  expect(worst).toBeLessThan(1e-6);
  expect(found).not.toEqual(await e.read(gan.g.values));
  step.destroy();
});

describe('standing statistics', () => {
  it('are the plain mean over the batches, whatever was before', async () => {
    const norm = new BatchNorm(2);
    const network = new Network(e, norm, 1, { trained: false });
    const batches = [0, 1, 2].map((k) => Float32Array.from(normal(7, k, 2 * 2 * 5), (z, i) => z * (k + 1) + (i % 2)));
    const settle = () =>
      standingStatistics(norm, 3, (pass) => {
        e.scope(() => norm.forward(new Tape(e), e.upload(batches[pass]!, [2, 2, 5])));
      });
    settle();
    const first = await e.read(network.statistics);
    settle();
    expect(await e.read(network.statistics)).toEqual(first);
    expect([norm.training, norm.momentum]).toEqual([false, 0.1]);
    for (const channel of [0, 1]) {
      const moments = batches.map((batch) => {
        const own = [...batch].filter((_, i) => Math.floor(i / 5) % 2 === channel);
        const mean = own.reduce((sum, x) => sum + x, 0) / own.length;
        return { mean, variance: own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (own.length - 1) };
      });
      const over = (pick: (each: { mean: number; variance: number }) => number) =>
        moments.reduce((sum, each) => sum + pick(each), 0) / 3;
      const { data: mean } = (await network.state()).get('running_mean')!;
      const { data: variance } = (await network.state()).get('running_var')!;
      expect(mean[channel]).toBeCloseTo(
        over((each) => each.mean),
        5,
      );
      expect(variance[channel]).toBeCloseTo(
        over((each) => each.variance),
        5,
      );
    }
    network.destroy();
  });

  it('of a generator are always the same for its weights', async () => {
    const g = createGan(e, CONFIG, 2).ema!;
    refreshStatistics(e, g, CONFIG);
    const first = await e.read(g.statistics);
    await generateImages(e, g, Int32Array.of(1), { seed: 3, batch: 1 });
    refreshStatistics(e, g, CONFIG);
    expect(await e.read(g.statistics)).toEqual(first);
  });
});

describe('a run with an average', () => {
  it('trains as one without, and goes on to the very same bits', async () => {
    const whole = await train('whole');
    const plain = await train('plain', { config: { ...CONFIG, ema: null } });
    expect(tensorsOf(whole, /^(g|d|optimizer.)\./)).toEqual(plain.tensors);
    expect([weightsOf(whole), weightsOf(plain)]).toEqual(['ema', 'plain']);
    expect(() => weightsOf(plain, 'ema')).toThrow(/step-000006\.safetensors" holds no average of weights/);

    const controller = new AbortController();
    await train('torn', { signal: controller.signal, onStep: (step) => step === 3 && controller.abort() });
    const checkpoint = await readCheckpoint(path.join(folder, 'torn'));
    expect(checkpoint.step).toBeLessThan(6);
    expect((await train('torn', { checkpoint })).tensors).toEqual(whole.tensors);
  });

  it('makes images with either weights, as they lie in the checkpoint', async () => {
    const checkpoint = await readCheckpoint(path.join(folder, 'whole'));
    for (const [weights, prefix] of [
      ['ema', 'ema.'],
      ['plain', 'g.'],
    ] as const) {
      const g = openGenerator(e, checkpoint, weights);
      for (const [name, { data }] of await g.state()) expect(data).toEqual(checkpoint.tensors.get(prefix + name)!.data);
      g.destroy();
    }
    const [ema, plain] = (['ema', 'plain'] as const).map((weights) => openGenerator(e, checkpoint, weights));
    const images = (g: typeof ema) => generateImages(e, g!, Int32Array.of(0, 1), { seed: 1, batch: 2 });
    expect(await images(ema)).not.toEqual(await images(plain));
  });

  it('of before there were averages begins one from the generator as it is', async () => {
    const config = { ...CONFIG, ema: null, steps: 2 };
    const checkpoint = await train('before', { config });
    const after = await train('before', { checkpoint, config: { ...CONFIG, steps: 4 } });
    expect(weightsOf(after)).toBe('ema');
    expect(after.tensors.get('g.fc.weight')).toEqual(
      (await train('four', { config: { ...CONFIG, steps: 4 } })).tensors.get('g.fc.weight'),
    );
  });
});
