/** Runs that go wrong stop, say why, and keep what was good. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/read.js';
import { sourceOf } from '../../src/data/store.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { type LogRecord, readLog } from '../../src/io/log.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Module } from '../../src/nn/module.js';
import type { Network } from '../../src/nn/network.js';
import { loadGan, readCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.js';
import { checkConfig, type TrainConfig } from '../../src/train/config.js';
import { imageSpread } from '../../src/train/diversity.js';
import { createGan } from '../../src/train/gan.js';
import type { Gan } from '../../src/train/ganStep.js';
import { trainGan } from '../../src/train/trainer.js';
import { createWatch } from '../../src/train/watch.js';
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

const SOUND = { sourceD: 1.1, classD: 2, sourceG: 1, classG: 1.5 };
const WON = { ...SOUND, sourceD: 0.01, sourceG: 7 };

describe('a watch', () => {
  const looks = (
    records: readonly LogRecord[],
    adversarial: TrainConfig['adversarial'] = 'bce',
    realTarget: number | undefined = undefined,
  ) => {
    const watch = createWatch({ adversarial, realTarget });
    return { watch, faults: records.map((record, step) => watch.look({ step, ...record })) };
  };
  const times = (count: number, record: LogRecord): LogRecord[] => Array.from({ length: count }, () => record);

  it('lets sound runs be, and such as find their way back', () => {
    const { faults, watch } = looks([...times(99, WON), SOUND, ...times(99, WON), SOUND, { diversity: 0.3 }]);
    expect(faults.filter(Boolean)).toEqual([]);
    expect(watch.isUneasy).toBe(false);
  });

  it('stops when the discriminator has won for a hundred steps', () => {
    const { faults } = looks(times(100, WON));
    expect(faults.slice(0, 99).filter(Boolean)).toEqual([]);
    expect(faults[99]).toMatch(/come to a halt.*told every real.*at step 99 its loss is 0\.010, the generator's 7\.00/);
  });

  it('knows that hinge losses end at the margin', () => {
    const beyond = { ...SOUND, sourceD: 0.01, sourceG: 1.3 };
    expect(looks(times(100, beyond), 'hinge').faults.at(-1)).toMatch(/come to a halt/);
    expect(looks(times(100, beyond), 'bce').faults.at(-1)).toBeUndefined();
  });

  it('knows that with smoothed labels no loss falls to zero', () => {
    // -0.9 log 0.9 - 0.1 log 0.1
    const least = { ...SOUND, sourceD: 0.3251 + 0.01, sourceG: 7 };
    expect(looks(times(100, least), 'bce', 0.9).faults.at(-1)).toMatch(/come to a halt/);
    expect(looks(times(100, least), 'bce', 1).faults.at(-1)).toBeUndefined();
  });

  it('stops when losses run away, be it below zero', () => {
    const { faults, watch } = looks(times(20, { ...SOUND, classG: -5000 }));
    expect(faults.slice(0, 19).filter(Boolean)).toEqual([]);
    expect(faults[19]).toMatch(/ran away.*above 100.*5\.00e\+3.*lower --learning-rate/);
    expect(watch.isUneasy).toBe(true);
  });

  it('stops when all images are the same, three times in a row', () => {
    const same = { diversity: 0.001 };
    const { faults, watch } = looks([same, same, { diversity: 0.05 }, same, same, same]);
    expect(faults.slice(0, 5).filter(Boolean)).toEqual([]);
    expect(faults[5]).toMatch(/one image of each class.*to step 5.*less than 2 %/);
    expect(watch.isUneasy).toBe(true);
  });
});

it('spread is the deviation among images of a class', async () => {
  const images = Float32Array.of(-0.5, 0, 0.5, 0, 0.3, 0.9, 0.3, 0.9);
  const spread = await imageSpread(sourceOf(images.slice(0, 8), Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0), 1), 2);
  expect(spread).toBeGreaterThan(0);
  // Images of 1 x 1: class 0 is -0.5, 0, 0.3, 0.9 and class 1 is 0.5, 0, 0.3, 0.9.
  const variance = (values: number[]): number => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  };
  expect(spread).toBeCloseTo(Math.sqrt((variance([-0.5, 0, 0.3, 0.9]) + variance([0.5, 0, 0.3, 0.9])) / 2), 6);
  expect(await imageSpread(sourceOf(Float32Array.of(0.2, 0.2), Int32Array.of(0, 0), 1), 2)).toBe(0);
  expect(await imageSpread(sourceOf(Float32Array.of(0.2, 0.3), Int32Array.of(0, 1), 1), 2)).toBeUndefined();
});

describe('a run', () => {
  const train = async (out: string, changes: Partial<TrainConfig>) => {
    const config = checkConfig({ ...TINY, ...changes }, 'the test');
    const run = path.join(folder, out);
    const checkpoint = await readCheckpoint(run).catch(() => undefined);
    return trainGan({
      ...{ engine: e, dataset, config, out: run, synthetic: false, tensorboard: false },
      ...(checkpoint && { checkpoint }),
    });
  };
  const checkpoints = async (out: string) => (await readdir(path.join(folder, out, 'checkpoints'))).sort();

  /** Makes a checkpoint of step 2 with a state that is no longer sound. */
  const spoilt = async (
    out: string,
    changes: Partial<TrainConfig>,
    spoil: (gan: Gan) => Promise<void>,
  ): Promise<void> => {
    const config = checkConfig({ ...TINY, ...changes, steps: 2 }, 'the test');
    await train(out, config);
    const checkpoint = await readCheckpoint(path.join(folder, out));
    const gan = createGan(e, config, 2);
    loadGan(e, checkpoint, gan);
    await spoil(gan);
    await saveCheckpoint(e, path.join(folder, out, 'checkpoints'), gan, checkpoint);
  };
  const fill = async (network: Network<Module>, name: string, value: number): Promise<void> => {
    const state = new Map(await network.state());
    const { shape, data } = state.get(name)!;
    network.load(state.set(name, { shape, data: new Float32Array(data.length).fill(value) }));
  };

  it('whose discriminator has won stops, and keeps the checkpoints of before', async () => {
    const rates = { learningRateG: 1e-9, learningRateD: 0.3 };
    const running = train('won', { ...rates, steps: 400, sampleEvery: 400, checkpointEvery: 5 });
    await expect(running).rejects.toThrow(/has come to a halt.*--discriminator-rate.*Step \d+ is saved/);
    const steps = readLog(path.join(folder, 'won/log.jsonl')).flatMap(({ step, sourceD }) => (sourceD ? step! : []));
    const saved = (await checkpoints('won')).map((name) => Number(/\d+/.exec(name)![0]));
    expect(saved).toHaveLength(3);
    expect(Math.max(...saved)).toBeLessThanOrEqual(steps.at(-1)! - 90);
  });

  it('whose losses run away stops, before anything is overwritten', async () => {
    const changes = { learningRateD: 1e-6, checkpointEvery: 1, sampleEvery: 100 };
    await spoilt('away', changes, ({ d }) => fill(d, 'adversarial.layer.bias', 1000));
    await expect(train('away', { ...changes, steps: 40 })).rejects.toThrow(
      /ran away.*at step 22, 1\.00e\+3.*Step 2 is saved/,
    );
    expect(await checkpoints('away')).toEqual([
      'best.safetensors',
      'step-000001.safetensors',
      'step-000002.safetensors',
    ]);
  });

  it('that makes one image of each class stops, unless it is not watched', async () => {
    const changes = { learningRateG: 1e-12, sampleEvery: 1, checkpointEvery: 1 };
    await spoilt('same', changes, ({ g }) => fill(g, 'embed.weight', 0));
    await expect(train('same', { ...changes, steps: 9 })).rejects.toThrow(
      /makes one image of each class.*to step 5.*Step 2 is saved: ".*step-000002\.safetensors"/,
    );
    expect(await checkpoints('same')).toContain('step-000002.safetensors');
    expect(await checkpoints('same')).not.toContain('step-000003.safetensors');
    await train('same', { ...changes, steps: 9, watch: false });
    expect(await checkpoints('same')).toContain('step-000009.safetensors');
  });
});
