/** Runs by other recipes than the default: they train, generate from the checkpoint alone, and go on bit for bit. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/read.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { readLog } from '../../src/io/log.js';
import { readSafetensors } from '../../src/io/safetensors.js';
import { Engine } from '../../src/kernel/engine.js';
import { loadNetwork, readCheckpoint } from '../../src/train/checkpoint.js';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { checkConfig, type TrainConfig } from '../../src/train/config.js';
import { drawBatch, evenLabels } from '../../src/train/draw.js';
import { createGenerator } from '../../src/train/gan.js';
import { generateImages } from '../../src/train/sample.js';
import { trainGan } from '../../src/train/trainer.js';
import { temporaryFolder } from '../temporary.js';
import { highAndLow, TINY } from './tiny.js';

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

const train = async (out: string, config: TrainConfig, stopAt?: number) => {
  const run = path.join(folder, out);
  const controller = new AbortController();
  const checkpoint = (await latestCheckpoint(run)) && (await readCheckpoint(run));
  return trainGan({
    ...{ engine: e, dataset, config, out: run, synthetic: false, signal: controller.signal },
    ...(checkpoint && { checkpoint }),
    onStep: (step) => step === stopAt && controller.abort(),
  });
};

const stateOf = async (out: string) => readSafetensors((await latestCheckpoint(path.join(folder, out)))!).tensors;

const RECIPES: Readonly<Record<string, Partial<TrainConfig>>> = {
  'adc, hinge, three updates of D a step': { classHead: 'adc', adversarial: 'hinge', discriminatorSteps: 3 },
  'smoothed labels, RMSprop, balanced, warmed up, then falling': {
    ...{ realTarget: 0.9, optimizer: 'rmsprop', learningRateD: 4e-4, balanced: true, balancedFakes: true },
    ...{ rateSchedule: 'cosine', warmUpSteps: 2, discriminatorSteps: 2 },
  },
  'conditional norms, neither attention nor skip connections, nearest pixels': {
    ...{ conditionalNorm: true, attention: false, residual: false, upsampling: 'nearest' },
  },
  'dynamic convolutions, with activations computed twice': { dynamic: true, checkpointActivations: true },
};

describe.each(Object.entries(RECIPES))('%s', (name, changes) => {
  it('trains, goes on to the very same bits, and generates from the checkpoint alone', async () => {
    const config = checkConfig({ ...TINY, ...changes }, 'the test');
    await train(name, config);
    const parts = `${name}, in parts`;
    expect((await train(parts, config, 2)).complete).toBe(false);
    expect(await train(parts, config)).toMatchObject({ step: 6, complete: true });
    expect(await stateOf(parts)).toEqual(await stateOf(name));

    const checkpoint = await readCheckpoint(path.join(folder, name));
    const g = createGenerator(e, checkpoint.config, checkpoint.classes.length);
    const untrained = await g.state();
    loadNetwork(checkpoint, 'g.', g);
    for (const [tensor, { data }] of await g.state()) {
      if (!/running_|^embed/.test(tensor)) expect(data, tensor).not.toEqual(untrained.get(tensor)!.data);
    }
    const images = await generateImages(e, g, Int32Array.of(0, 1), { seed: 1, batch: 2 });
    expect(images.every((value) => value > -1 && value < 1)).toBe(true);
    g.destroy();
  });
});

it('learning rates rise and fall as they are told', async () => {
  const config = checkConfig({ ...TINY, rateSchedule: 'linear', warmUpSteps: 2, learningRateG: 0.01 }, 'the test');
  await train('rates', config);
  const rates = readLog(path.join(folder, 'rates', 'log.jsonl')).flatMap(({ learningRateG }) => learningRateG ?? []);
  expect(rates).toHaveLength(6);
  for (const [i, rate] of [1 / 3, 2 / 3, 1, 3 / 4, 2 / 4, 1 / 4].entries())
    expect(rates[i]).toBeCloseTo(0.01 * rate, 8);
});

describe('what a step draws', () => {
  it('of balanced labels is each class equally often, or once more', () => {
    const first = new Set<number>();
    for (let stream = 0; stream < 40; stream++) {
      const labels = evenLabels(1, stream, 8, 3);
      const counts = [0, 1, 2].map((k) => labels.filter((label) => label === k).length);
      expect([...counts].sort()).toEqual([2, 3, 3]);
      first.add(counts.indexOf(2));
    }
    expect(first.size).toBe(3);
  });

  it('is drawn anew for each update', async () => {
    const reals = [0, 1].map(() => ({ images: new Float32Array(4 * 32 * 32), labels: new Int32Array(4) }));
    const drawn: string[] = [];
    await e
      .scope(() => {
        const { zd, further, zg } = drawBatch(e, TINY, 2, 5, reals);
        const next = drawBatch(e, TINY, 2, 6, reals);
        return [zd, further![0]!.zd, zg, next.zd, next.further![0]!.zd, next.zg];
      })
      .reduce(async (before, noise) => {
        await before;
        drawn.push((await e.read(noise)).join());
        e.release(noise);
      }, Promise.resolve());
    expect(new Set(drawn).size).toBe(6);
  });
});

describe('a recipe without sense', () => {
  it.each([
    [{ adversarial: 'hinge', realTarget: 0.9 }, /"realTarget" \(0\.9\): must be 1 unless "adversarial" is "bce"/],
    [{ classHead: 'adc', classOnFakes: false }, /"classOnFakes" \(false\): must be true if "classHead" is "adc"/],
    [{ warmUpSteps: 6 }, /"warmUpSteps" \(6\): must be less than "steps"/],
    [{ discriminatorSteps: 0 }, /"discriminatorSteps" \(0\)/],
    [{ optimizer: 'sgd' }, /"optimizer" \("sgd"\): must be "adam" or "rmsprop"/],
  ])('%j is refused', (changes, sentence) => {
    expect(() => checkConfig({ ...TINY, ...changes }, 'the config')).toThrow(sentence);
  });
});
