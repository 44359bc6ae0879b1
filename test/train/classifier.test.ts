/** Training a classifier: it learns, keeps its best weights, repeats itself bit for bit, and stops when asked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tape } from '../../src/autograd/tape.js';
import { createLoader } from '../../src/data/loader.js';
import { type ImageSource, sourceOf } from '../../src/data/store.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { FeatureNet } from '../../src/models/featureNet.js';
import { Dropout, Linear } from '../../src/nn/layers.js';
import { Layer } from '../../src/nn/module.js';
import { Network } from '../../src/nn/network.js';
import { mul } from '../../src/ops/elementwise.js';
import { uniform } from '../../src/reference/random.js';
import {
  type ClassifierConfig,
  type ClassifierState,
  type ClassifierTraining,
  trainClassifier,
} from '../../src/train/classifier.js';
import { outputsOf, scoreLogits } from '../../src/train/outputs.js';

const SIZE = 8;
/** Images of the validation. */
const VALIDATED = 50;
const CONFIG: ClassifierConfig = {
  optimizer: 'adamw',
  learningRate: 5e-3,
  weightDecay: 0.01,
  momentum: 0.9,
  labelSmoothing: 0,
  epochs: 6,
  patience: 6,
};

/** Images that are bright in their upper or in their lower half, in noise. */
function twoClasses(count: number, seed: number): ImageSource & { images: Float32Array } {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const half = (SIZE * SIZE) / 2;
  const noise = uniform(seed, 0, count * SIZE * SIZE);
  const images = Float32Array.from(noise, (u, p) => {
    const isUpper = p % (2 * half) < half;
    return 1.6 * u - 1 + (isUpper === (labels[Math.floor(p / (2 * half))] === 0) ? 0.4 : 0);
  });
  return { ...sourceOf(images, labels, SIZE), images };
}

let gpu: Gpu;
let e: Engine;
beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});
afterAll(() => gpu?.close());

const create = (seed = 1): Network<Layer> =>
  new Network(e, new FeatureNet({ classes: 2, channels: 1, size: SIZE, features: 6 }), seed);

/** A network that drops features at random. */
class Dropping extends Layer {
  private readonly net = this.child('net', new FeatureNet({ classes: 2, channels: 1, size: SIZE, features: 6 }));
  private readonly dropout = this.child('dropout', new Dropout(0.5));
  private readonly last = this.child('last', new Linear(6, 2));

  forward(tape: Tape, x: Tensor): Tensor {
    return this.last.forward(tape, this.dropout.forward(tape, this.net.features(tape, x)));
  }
}

/** Its logits are no numbers when it is validated for the first time. */
class Overflowing extends Layer {
  private readonly net = this.child('net', new FeatureNet({ classes: 2, channels: 1, size: SIZE, features: 6 }));
  private evaluated = 0;

  forward(tape: Tape, x: Tensor): Tensor {
    const logits = this.net.forward(tape, x);
    if (!this.training) this.evaluated += x.shape[0]!;
    const overflows = !this.training && this.evaluated <= VALIDATED;
    return overflows ? tape.apply(mul, [logits, e.upload(Float32Array.of(Number.POSITIVE_INFINITY), [])], {}) : logits;
  }
}

function train(options: Partial<ClassifierTraining> = {}) {
  const loader = createLoader({ source: twoClasses(32, 1), batch: 8, seed: 1 });
  const validation = twoClasses(VALIDATED, 2);
  const network = options.network ?? create();
  const training = { engine: e, network, loader, channels: 1, size: SIZE, validation, config: CONFIG, ...options };
  return trainClassifier(training).then((result) => ({ ...result, network: training.network, validation }));
}

const scoreOf = async ({ module }: Network<Layer>, source: ImageSource) => {
  const logits = await outputsOf(e, module, module.forward.bind(module), source);
  return scoreLogits(logits, source.labels);
};

describe('a classifier', () => {
  it.each(['adamw', 'sgd'] as const)(
    'learns with %s, and ends with the weights of its best epoch',
    async (optimizer) => {
      const { history, best, complete, network, validation } = await train({
        config: { ...CONFIG, optimizer, learningRate: optimizer === 'sgd' ? 0.05 : 5e-3 },
      });
      expect(complete).toBe(true);
      expect(history.map(({ epoch, step }) => [epoch, step])).toEqual([1, 2, 3, 4, 5, 6].map((i) => [i, 4 * i]));
      expect(history[5]!.loss).toBeLessThan(0.7 * history[0]!.loss);
      expect(best!.validation!.loss).toBe(Math.min(...history.map((record) => record.validation!.loss)));
      const score = await scoreOf(network, validation);
      expect(score.accuracy).toBeGreaterThan(0.85);
      expect(score.loss).toBeCloseTo(best!.validation!.loss, 5);
      expect(score.accuracy).toBe(best!.validation!.accuracy);
    },
  );

  it('trains the same twice, and otherwise from another seed', async () => {
    const config = { ...CONFIG, epochs: 2 };
    const once = async (seed: number) => await (await train({ config, network: create(seed) })).network.state();
    expect(await once(1)).toEqual(await once(1));
    expect(await once(2)).not.toEqual(await once(1));
  });

  it('that overflows in its first validation finds better epochs afterwards, and can be written down', async () => {
    const { history, best } = await train({ network: new Network<Layer>(e, new Overflowing(), 1) });
    expect(history[0]!.validation!.loss).toBeCloseTo(Math.log(2), 6);
    expect(best!.validation!.loss).toBe(Math.min(...history.map((record) => record.validation!.loss)));
    expect(best!.epoch).toBeGreaterThan(1);
    expect(JSON.parse(JSON.stringify(history))).toEqual(history);
  });

  it('stops when validation gets no better', async () => {
    // Labels that have nothing to do with the images: the better they are learnt by heart, the worse the validation.
    const { images, labels } = twoClasses(16, 3);
    const random = Int32Array.from(uniform(9, 0, 16), (u) => (u < 0.5 ? 0 : 1));
    const validation = sourceOf(
      images,
      labels.map((_, i) => 1 - random[i]!),
      SIZE,
    );
    const loader = createLoader({ source: sourceOf(images, random, SIZE), batch: 8, seed: 1 });
    const { history, best } = await train({ loader, validation, config: { ...CONFIG, epochs: 30, patience: 3 } });
    expect(history.length).toBeLessThan(30);
    expect(history.length).toBe(best!.epoch + 3);
  });

  it('warms up for part of an epoch, in whole steps', async () => {
    const loader = createLoader({ source: twoClasses(24, 1), batch: 8, seed: 1 });
    expect(loader.batchesPerEpoch).toBe(3);
    const { complete, history } = await train({ loader, config: { ...CONFIG, epochs: 2, warmUp: 0.5 } });
    expect(complete).toBe(true);
    // Two steps up; the cosine over the other four is at its first step.
    expect(history[0]!.learningRate).toBeCloseTo((CONFIG.learningRate * (1 + Math.cos(Math.PI / 4))) / 2, 12);
  });

  it('without validation goes on to the end and keeps what it has', async () => {
    const { history, best } = await train({ validation: undefined, config: { ...CONFIG, epochs: 3 } });
    expect(best).toBe(history[2]);
    expect(best!.validation).toBeUndefined();
  });

  it('stops after the step in hand', async () => {
    const controller = new AbortController();
    const stopped = await train({
      signal: controller.signal,
      onEpoch: ({ epoch }) => epoch === 2 && controller.abort(),
    });
    expect(stopped.complete).toBe(false);
    expect(stopped.history).toHaveLength(2);
    const never = await train({ signal: AbortSignal.abort() });
    expect(never).toMatchObject({ complete: false, history: [], best: undefined });
  });

  it.each(['adamw', 'sgd'] as const)(
    'goes on with %s from where it stopped, and comes to the same bits',
    async (optimizer) => {
      const config = { ...CONFIG, optimizer, epochs: 4, mixup: 0.3 };
      const dropping = (seed: number) => new Network<Layer>(e, new Dropping(), seed);
      const whole = await train({ config, network: dropping(1) });
      let left: ClassifierState | undefined;
      const controller = new AbortController();
      await train({
        config,
        network: dropping(1),
        signal: controller.signal,
        // Told two steps late: in the middle of the third epoch.
        onStep: (step) => step === 9 && controller.abort(),
        save: async (state) => {
          left = state;
        },
      });
      expect(left!.step).toBeGreaterThan(8);
      expect(left!.step % 4).not.toBe(0);
      const rest = await train({ config, network: dropping(5), from: left });
      expect(rest.history).toEqual(whole.history);
      expect(await rest.network.state()).toEqual(await whole.network.state());
    },
  );

  it('learns from blended images', async () => {
    const { network, validation } = await train({ config: { ...CONFIG, epochs: 8, mixup: 0.4 } });
    expect((await scoreOf(network, validation)).accuracy).toBeGreaterThan(0.85);
  });

  it('names a class more often that counts for more', async () => {
    const often = async (classWeights: readonly number[]): Promise<number> => {
      const { network, validation } = await train({ classWeights, config: { ...CONFIG, epochs: 2 } });
      return (await scoreOf(network, validation)).named.filter((label) => label === 0).length;
    };
    expect(await often([20, 1])).toBeGreaterThan(await often([1, 20]));
  });

  it('that diverges says at which step, and keeps no memory', async () => {
    const source = twoClasses(8, 1);
    source.images.fill(Number.NaN);
    const loader = createLoader({ source, batch: 8, seed: 1 });
    const network = create();
    const { inUse } = e.memory();
    await expect(train({ loader, network })).rejects.toThrow(/diverged: at step 1 the loss is NaN/);
    expect(e.memory().inUse).toBe(inUse);
  });

  it('takes no more memory in the last epoch than in the second', async () => {
    const bytes: number[] = [];
    await train({ onEpoch: () => bytes.push(e.memory().bytes) });
    expect(bytes[5]).toBe(bytes[1]);
  });
});

it('scores logits', () => {
  const { loss, accuracy, named } = scoreLogits(Float32Array.of(0, Math.log(3), 1000, 0), Int32Array.of(1, 0));
  expect([...named]).toEqual([1, 0]);
  expect(accuracy).toBe(1);
  expect(loss).toBeCloseTo(-Math.log(0.75) / 2, 6);
  expect(scoreLogits(Float32Array.of(0, 1000), Int32Array.of(0)).loss).toBe(1000);
});

it.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])(
  'scores an image with the logit %d as one of which nothing is known',
  (value) => {
    const { loss } = scoreLogits(Float32Array.of(value, 0, 1000, 0), Int32Array.of(0, 0));
    expect(loss).toBeCloseTo(Math.log(2) / 2, 6);
  },
);
