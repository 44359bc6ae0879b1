/** What a training step may do about memory, and that it changes no bit of the result. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { type Assumed, Engine } from '../../src/kernel/engine.js';
import type { State } from '../../src/nn/network.js';
import { normal } from '../../src/reference/random.js';
import { presetConfig, type TrainConfig } from '../../src/train/config.js';
import { createGan } from '../../src/train/gan.js';
import { createGanStep, type GanBatch } from '../../src/train/ganStep.js';

const CONFIG: TrainConfig = {
  ...presetConfig('small', 32),
  batch: 4,
  latent: 8,
  base: 8,
  generatorWidths: [8, 6, 4],
  discriminatorWidths: [4, 4, 6, 6],
};

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu();
});

afterAll(() => gpu?.close());

interface Trained {
  readonly losses: Float32Array;
  readonly g: State;
  readonly d: State;
  readonly kernels: readonly string[];
}

/** Two steps from the same beginning. */
async function twoSteps(config: TrainConfig, assumed: Assumed = {}): Promise<Trained> {
  const e = new Engine(gpu, assumed);
  const gan = createGan(e, config, 2);
  const step = createGanStep(e, gan, config, config.batch);
  const { batch, latent, size } = config;
  const labels = Int32Array.from({ length: batch }, (_, i) => i % 2);
  const images = Float32Array.from(normal(1, 0, batch * size * size));
  const z = (stream: number) => e.upload(Float32Array.from(normal(1, stream, batch * latent)), [batch, latent]);
  const batchOf = (t: number): GanBatch => ({
    images,
    labels,
    zd: z(2 * t),
    zdLabels: labels,
    zg: z(2 * t + 1),
    zgLabels: labels,
  });
  e.release(e.scope(() => step.run(batchOf(1))));
  const losses = await e.read(e.scope(() => step.run(batchOf(2))));
  return { losses, g: await gan.g.state(), d: await gan.d.state(), kernels: e.compiledKernels() };
}

describe('two steps in windows', () => {
  it('give the same bits as with tensors that fit', async () => {
    const ordinary = await twoSteps(CONFIG);
    // The discriminator's first activations are 128 KiB: four windows.
    const { kernels, ...windowed } = await twoSteps(CONFIG, { bindingBytes: 2 ** 15 });
    expect(kernels.filter((key) => key.includes('WINDOWS=')).length).toBeGreaterThan(10);
    expect({ ...windowed, kernels: ordinary.kernels }).toEqual(ordinary);
  });
});
