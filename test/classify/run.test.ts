/** Training a classifier from a data set to its results: it learns, goes on where it stopped, mixes images in, and complains. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noiseLabel } from '../../src/audio/places.js';
import { type ClassifierRunConfig, DEFAULT_CLASSIFIER } from '../../src/classify/config.js';
import {
  openModel,
  readClassifierCheckpoint,
  readModel,
  writeClassifierCheckpoint,
  writeModel,
} from '../../src/classify/files.js';
import { probabilitiesOf } from '../../src/classify/judge.js';
import { type ClassifierRun, runClassifier } from '../../src/classify/run.js';
import { NO_AUGMENTATION } from '../../src/data/augment.js';
import { keepBack } from '../../src/data/keepBack.js';
import { trainingOnly } from '../../src/data/mix.js';
import type { Dataset } from '../../src/data/read.js';
import { type ImageSource, openImages, sourceOf } from '../../src/data/store.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { writeAtomically } from '../../src/io/files.js';
import { grayPng } from '../../src/io/image.js';
import { readLog } from '../../src/io/log.js';
import { parseTable } from '../../src/io/table.js';
import { Engine } from '../../src/kernel/engine.js';
import { temporaryFolder } from '../temporary.js';
import { highAndLow } from '../train/tiny.js';

const CONFIG: ClassifierRunConfig = {
  ...DEFAULT_CLASSIFIER,
  width: 0.07,

  epochs: 12,
  patience: 12,
  batch: 6,
  warmUp: 0,
  keepBack: 0.25,
  dropout: 0.2,
};

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

const at = (name: string): string => path.join(folder, name);

const run = (name: string, options: Partial<ClassifierRun> = {}) =>
  runClassifier({
    ...{ engine: e, dataset, config: CONFIG, out: at(name), synthetic: false, tensorboard: false },
    ...options,
  });

describe('a classifier of a data set', () => {
  it('tells bright above from bright below in images that it never saw, and keeps what it needs for that', async () => {
    const results = (await run('a'))!;
    expect(results.counts).toEqual({ training: [6, 6], extra: [0, 0], validation: [2, 2], test: [2, 2] });
    expect(results.test!.windows.accuracy).toBe(1);
    expect(results.test!.recordings.count).toBe(4);
    expect(results.test!.chance).toBe(0.5);
    expect(JSON.parse(await readFile(at('a/results.json'), 'utf8'))).toEqual(results);

    const model = readModel(at('a'));
    expect(model.info).toMatchObject({ classes: ['high', 'low'], shown: null, threshold: results.threshold });
    const network = openModel(e, model);
    const test = await openImages(dataset, 'test', CONFIG);
    const probabilities = await probabilitiesOf(e, network, test, 2);
    network.destroy();
    const { rows } = parseTable('predictions.csv', await readFile(at('a/predictions.csv'), 'utf8'));
    expect(rows.map(({ cells }) => [cells.file, cells.named, cells.high])).toEqual(
      test.files.map((file, i) => [file, file.split('/')[0], probabilities[2 * i]!.toFixed(6)]),
    );
  });

  it('that was stopped goes on to the same bits', async () => {
    const controller = new AbortController();
    const onStep = (step: number) => step === 5 && controller.abort();
    expect(await run('b', { signal: controller.signal, onStep })).toBeUndefined();
    const stopped = readClassifierCheckpoint(at('b'))!;
    expect(stopped.tuning).toBe(e.tuning.id);
    await writeClassifierCheckpoint(at('b'), { ...stopped, seconds: 1e6, tuning: 'another' });
    const notes: string[] = [];
    const { seconds, ...resumed } = (await run('b', { onNote: (line) => notes.push(line) }))!;
    expect(notes).toEqual([expect.stringMatching(/began under another tuning of kernels/)]);
    expect(seconds).toBeGreaterThan(1e6);
    const whole = JSON.parse(await readFile(at('a/results.json'), 'utf8'));
    expect(resumed).toEqual({ ...whole, seconds: undefined });
    expect(await readFile(at('b/model.safetensors'))).toEqual(await readFile(at('a/model.safetensors')));
  });

  it('whose checkpoint does not tell by which tuning goes on without a word', async () => {
    await writeClassifierCheckpoint(at('b'), { ...readClassifierCheckpoint(at('b'))!, tuning: undefined });
    const notes: string[] = [];
    expect(await run('b', { onNote: (line) => notes.push(line) })).toBeDefined();
    expect(notes).toEqual([]);
  });

  it('logs the loss of each step once, and of each epoch how validation went', () => {
    const records = readLog(at('a/log.jsonl'));
    const steps = records.filter(({ loss }) => loss !== undefined).map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
    const epochs = records.filter(({ validation }) => validation !== undefined);
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual(
      Array.from({ length: 12 }, (_, i) => [i + 1, 2 * i + 2]),
    );
  });

  it('learns from generated images beside the real ones, or from them alone', async () => {
    const extra = await openImages(trainingOnly(dataset, dataset.classes), 'train', CONFIG);
    const notes: string[] = [];
    const both = await run('c', { extra, onNote: (line) => notes.push(line) });
    expect(notes).toEqual([expect.stringMatching(/^The recordings kept back .* may be among those .* generator/)]);
    expect(both!.counts).toMatchObject({ training: [6, 6], extra: [10, 10] });
    const alone = await run('d', { extra, useTraining: false });
    expect(alone!.counts).toMatchObject({ training: [0, 0], extra: [10, 10] });
    expect(alone!.test!.windows.accuracy).toBe(1);
  });

  it('knows nothing of the recordings kept back, not even as background', async () => {
    const config = { ...CONFIG, epochs: 6, augment: { ...NO_AUGMENTATION, background: 1 } };
    const images = dataset.images.map((image) => (image.label === 'low' ? { ...image, label: noiseLabel } : image));
    const noisy: Dataset = { ...dataset, classes: ['high', noiseLabel], images };
    const store = await openImages(noisy, 'train', config);
    // What it reads are the images' numbers.
    const numbered = { ...store, read: (i: number, to: Float32Array) => void to.fill(i) };
    const { validation } = keepBack(noisy, numbered, config.keepBack, config.seed);
    const { dir } = await highAndLow(at('black'));
    for (const k of validation.labels.keys()) {
      const number = new Float32Array(1);
      await validation.read(k, number);
      await writeAtomically(path.join(dir, store.files[number[0]!]!), await grayPng(new Uint8Array(1024), 32, 32));
    }
    const whole = await run('whole', { dataset: noisy, config });
    const black = await run('without', { dataset: { ...noisy, dir }, config });
    expect(black!.epochs[0]!.validation).not.toEqual(whole!.epochs[0]!.validation);
    expect(black!.epochs.map(({ loss }) => loss)).toEqual(whole!.epochs.map(({ loss }) => loss));
  });

  it('begins with given weights', async () => {
    const weights = at('a/model.safetensors');
    const config = { ...CONFIG, epochs: 1, learningRate: 1e-6 };
    expect((await run('w', { weights, config }))!.test!.windows.accuracy).toBe(1);
    expect(await run('w', { weights, config })).toBeDefined();
    const others = at('others.safetensors');
    await writeModel(others, { ...readModel(weights), info: { ...readModel(weights).info, epoch: 99 } });
    for (const other of [others, undefined]) {
      await expect(run('w', { weights: other, config })).rejects.toThrow(/on other images .*, or from other weights/);
    }
    await expect(run('x', { weights: at('images/high/0.png') })).rejects.toThrow(/0\.png/);
  });

  it('refuses a folder that holds another one, of other settings or other images', async () => {
    await expect(run('a', { config: { ...CONFIG, seed: 9 } })).rejects.toThrow(
      /other settings: seed 1 \(asked for: 9\)/,
    );
    const extra: ImageSource = sourceOf(new Float32Array(1024), Int32Array.of(0), 32);
    await expect(run('a', { extra })).rejects.toThrow(/trained on other images/);
  });

  it('names a class without images, and a class that generated images do not share', async () => {
    const images = dataset.images.map((image) =>
      image.label === 'low' ? { ...image, split: 'test' as const } : image,
    );
    await expect(run('e', { dataset: { ...dataset, images } })).rejects.toThrow(/no images of low to train on/);
    expect(() => trainingOnly(dataset, ['high'])).toThrow(/has the class "low", which is not one of/);
  });
});

describe('a model on disk', () => {
  it('that is damaged, or something else, says so', async () => {
    await writeFile(at('text.safetensors'), 'no model');
    expect(() => readModel(at('text.safetensors'))).toThrow(/text.safetensors/);
    expect(() => readModel(at('nowhere'))).toThrow(/model.safetensors" is not there: name a classifier's folder/);
    expect(() => readModel(at('a/checkpoint.safetensors'))).toThrow(/is not of a classifier of this program/);
  });
});
