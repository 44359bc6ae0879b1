/** What a training step may do about memory, and that it changes no bit of the result. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLASSES, prepareStep } from '../../src/cli/stepBenchmark.js';
import { DeviceError } from '../../src/device/errors.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { BASE } from '../../src/kernel/choose.js';
import { type Assumed, Engine } from '../../src/kernel/engine.js';
import type { State } from '../../src/nn/network.js';
import { normal } from '../../src/reference/random.js';
import { presetConfig, type TrainConfig } from '../../src/train/config.js';
import { createGan } from '../../src/train/gan.js';
import { createGanStep, type GanBatch } from '../../src/train/ganStep.js';
import { largestBatch, type StepMemory, stepMemory } from '../../src/train/memory.js';

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

describe('two steps with checkpoints', () => {
  it('give the same bits as without', async () => {
    const ordinary = await twoSteps(CONFIG);
    expect(await twoSteps({ ...CONFIG, checkpointActivations: true })).toEqual(ordinary);
  });

  it('take less memory', async () => {
    const peak = (checkpointActivations: boolean): number =>
      stepMemory(new Engine(gpu), { ...CONFIG, checkpointActivations }, 2)(64).tensors;
    expect(peak(true)).toBeLessThan(0.75 * peak(false));
  });

  it('allocate nothing from the second to the fiftieth step', async () => {
    const e = new Engine(gpu);
    const config = { ...CONFIG, checkpointActivations: true };
    const gan = createGan(e, config, 2);
    const step = createGanStep(e, gan, config, config.batch);
    const labels = new Int32Array(config.batch);
    const images = new Float32Array(config.batch * config.size ** 2);
    const z = e.upload(new Float32Array(config.batch * config.latent).fill(0.5), [config.batch, config.latent]);
    const once = () =>
      e.release(e.scope(() => step.run({ images, labels, zd: z, zdLabels: labels, zg: z, zgLabels: labels })));
    once();
    await e.sync();
    const { bytes, inUse, allocations } = e.memory();
    for (let i = 1; i < 50; i++) once();
    await e.sync();
    expect(e.memory()).toMatchObject({ bytes, inUse, allocations });
  });
});

describe('two steps in mixed precision', () => {
  const config: TrainConfig = { ...CONFIG, precision: 'f16' };

  it('give the same bits with checkpoints and in windows', async ({ skip }) => {
    if (!new Engine(gpu).capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    const { kernels: _, ...ordinary } = await twoSteps(config);
    expect(await twoSteps({ ...config, checkpointActivations: true })).toMatchObject(ordinary);
    const windowed = await twoSteps(config, { bindingBytes: 2 ** 14 });
    expect(windowed.kernels.some((key) => /=vec4h.*WINDOWS=/.test(key))).toBe(true);
    expect(windowed).toMatchObject(ordinary);
  });

  it('take little more than half the memory', () => {
    // As on a GPU, which packs no operands: what is packed is in f32.
    const device = { ...BASE, f16: true } as const;
    const activations = (precision: 'f32' | 'f16'): number => {
      const { tensors, networks } = stepMemory(new Engine(gpu), { ...CONFIG, precision }, 2, device)(64);
      return tensors - networks;
    };
    expect(activations('f16')).toBeLessThan(0.6 * activations('f32'));
  });
});

describe('a dry run', () => {
  it.each([
    [false, 'f32'],
    [true, 'f32'],
    [false, 'f16'],
  ] as const)('counts what a real one takes, checkpoints %s, %s', async (checkpointActivations, precision) => {
    const config = { ...CONFIG, checkpointActivations, precision };
    const e = new Engine(gpu);
    const { run } = prepareStep(e, { ...config, batch: 3 });
    for (let i = 0; i < 4; i++) run();
    await e.sync();
    const { peak, bytes } = e.memory();
    expect(stepMemory(new Engine(gpu), config, CLASSES)(3)).toMatchObject({ tensors: peak, buffers: bytes });
  });

  it.each<Partial<TrainConfig>>([
    { conditionalNorm: true, upsampling: 'nearest', attention: false },
    { dynamic: true, residual: false, checkpointActivations: true },
    { discriminatorSteps: 3, classHead: 'adc', adversarial: 'hinge', optimizer: 'rmsprop' },
  ])('counts what a real one takes, %j', async (changes) => {
    const config = { ...CONFIG, ...changes, batch: 3 };
    const e = new Engine(gpu);
    const { run } = prepareStep(e, config);
    for (let i = 0; i < 4; i++) run();
    await e.sync();
    const { peak, bytes } = e.memory();
    expect(stepMemory(new Engine(gpu), config, CLASSES)(3)).toMatchObject({ tensors: peak, buffers: bytes });
  });

  it('meets the refusals that training would', () => {
    const memoryOf = stepMemory(new Engine(gpu), CONFIG, 2, { bindingBytes: 2 ** 12 });
    expect(() => memoryOf(64)).toThrow(/at most \d+ pieces of memory.*smaller batch/);
    expect(largestBatch(memoryOf, 2 ** 40)).toMatchObject({ refusal: expect.stringContaining('pieces of memory') });
  });
});

describe('the largest batch', () => {
  const linear = (batch: number): StepMemory => ({ networks: 10, tensors: 0, buffers: 10 + 7 * batch });
  it.each([
    [16, 0],
    [17, 1],
    [10 + 7 * 100, 100],
    [10 + 7 * 101 - 1, 100],
    [1e12, 4096],
  ])('within %i bytes', (within, batch) => {
    expect(largestBatch(linear, within)).toEqual({ batch, refusal: undefined });
  });

  it('may be what the device does not refuse', () => {
    const refusing = (batch: number): StepMemory => {
      if (batch > 37) throw new DeviceError('no more than 37');
      return linear(batch);
    };
    expect(largestBatch(refusing, 1e12)).toEqual({ batch: 37, refusal: 'no more than 37' });
    expect(() =>
      largestBatch(() => {
        throw new Error('a bug');
      }, 1),
    ).toThrow('a bug');
  });
});
