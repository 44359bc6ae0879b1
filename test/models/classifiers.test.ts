/** The classifiers: their sizes, which are torchvision's and those of Li et al. 2021, what they take, and what they draw. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDraws } from '../../src/autograd/draws.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { CLASSIFIER_NAMES, type ClassifierName, classifiers } from '../../src/models/classifiers.js';
import { countParameters } from '../../src/nn/module.js';
import { Network } from '../../src/nn/network.js';
import { normal } from '../../src/reference/random.js';

let gpu: Gpu;
let e: Engine;
beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});
afterAll(() => gpu?.close());

const count = (name: ClassifierName, dynamic: boolean): number =>
  countParameters(classifiers[name]({ classes: 1000, dynamic }));

describe('have as many parameters as', () => {
  it.each([
    ['resnet18', 11_689_512],
    ['mobilenet_v2', 3_504_872],
    ['vgg16', 138_357_544],
  ] as const)("torchvision's: %s %i", (name, parameters) => {
    expect(count(name, false)).toBe(parameters);
  });

  // By the rules of Li et al. 2021 and their code; of VGG16 by the rule for ResNet-18.
  it.each([
    ['resnet18', 2_883_132],
    ['mobilenet_v2', 2_035_316],
    ['vgg16', 3_893_940],
  ] as const)("the static ones, and their dynamic convolutions' besides: %s %i", (name, more) => {
    expect(count(name, true) - count(name, false)).toBe(more);
  });
});

/** Of 64 pixels, so that batch norms in training see more than two values. */
const SIZE = 48;
const images = (channels: number) =>
  e.upload(Float32Array.from(normal(1, 5, 3 * channels * SIZE * SIZE)), [3, channels, SIZE, SIZE]);

describe.each(CLASSIFIER_NAMES)('%s', (name) => {
  const options = { classes: 4, channels: 1, width: 1 / 16 };

  it('gives the same gradients of all parameters, dynamic or not, for the same seed and step, others for the next', async () => {
    const module = classifiers[name]({ ...options, dynamic: true, dynamicHead: true });
    const network = new Network(e, module, 3);
    const before = await network.state();
    const x = images(1);
    const gradients = async (step: number): Promise<Float32Array> => {
      network.load(before);
      network.zeroGrad();
      const tape = new Tape(e, network.targets, { draws: createDraws(1, step) });
      const logits = module.train().forward(tape, x);
      expect(logits.shape).toEqual([3, 4]);
      tape.backward(
        logits,
        e.upload(
          Float32Array.from({ length: 12 }, (_, i) => i % 5),
          [3, 4],
        ),
      );
      return await e.read(network.gradients);
    };
    const first = await gradients(7);
    expect(await gradients(7)).toEqual(first);
    const other = await gradients(8);
    // ResNet-18 draws nothing.
    expect(other.some((value, i) => value !== first[i])).toBe(name !== 'resnet18');
    for (const {
      name: parameter,
      parameter: { tensor },
    } of module.parameters()) {
      const values = await e.read(network.targets.of(tensor)!);
      expect(values.some((value) => value !== 0) && values.every(Number.isFinite), parameter).toBe(true);
    }
    network.destroy();
  });

  it('needs random numbers in training, if it drops, and none in evaluation', () => {
    const network = new Network(e, classifiers[name](options), 3);
    const x = images(1);
    const run = () => network.module.forward(new Tape(e), x);
    network.module.eval();
    expect(run().shape).toEqual([3, 4]);
    network.module.train();
    if (name === 'resnet18') expect(run().shape).toEqual([3, 4]);
    else expect(run).toThrow('needs a tape with random numbers');
    network.destroy();
  });

  it('says which images it takes', () => {
    const network = new Network(e, classifiers[name](options), 3);
    const least = network.module.leastSide;
    network.module.eval();
    const give = (shape: number[]) => () => network.module.forward(new Tape(e, new Gradients([])), e.empty(shape));
    expect(give([1, 1, least, least + 5])().shape).toEqual([1, 4]);
    expect(give([1, 3, 64, 64])).toThrow(`takes images [N, 1, H, W] of ${least} x ${least} pixels at least`);
    if (least > 1) expect(give([1, 1, 64, least - 1])).toThrow(`not [1, 1, 64, ${least - 1}]`);
    network.destroy();
  });
});
