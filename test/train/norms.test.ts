/** Norms in the log, and spectral norms that begin near the truth. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { iteratePowers, spectralNorms } from '../../src/nn/spectralNorm.js';
import { createGan } from '../../src/train/gan.js';
import { createGanStep } from '../../src/train/ganStep.js';
import { normsOf } from '../../src/train/norms.js';
import { TINY } from './tiny.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const norm = async (tensor: Tensor): Promise<number> =>
  Math.sqrt((await e.read(tensor)).reduce((sum, value) => sum + value ** 2, 0));

it('norms are those of all weights and gradients', async () => {
  const gan = createGan(e, TINY, 2);
  const step = createGanStep(e, gan, TINY, 4);
  const labels = Int32Array.of(0, 1, 0, 1);
  const images = Float32Array.from({ length: 4 * 32 * 32 }, (_, i) => Math.sin(i));
  const z = e.upload(new Float32Array(4 * TINY.latent).fill(0.5), [4, TINY.latent]);
  e.release(e.scope(() => step.run({ images, labels, zd: z, zdLabels: labels, zg: z, zgLabels: labels })));
  const norms = await normsOf(e, gan);
  expect(norms.weightNormG).toBeCloseTo(await norm(gan.g.values), 3);
  expect(norms.weightNormD).toBeCloseTo(await norm(gan.d.values), 3);
  expect(norms.gradientNormG! / (await norm(gan.g.gradients))).toBeCloseTo(1, 5);
  expect(norms.gradientNormD! / (await norm(gan.d.gradients))).toBeCloseTo(1, 5);
  expect(norms.gradientNormD).toBeGreaterThan(0);
  expect(await normsOf(e, gan)).toEqual(norms);
});

it('of scaled losses, gradients are divided by the scale, where that is known', async ({ skip }) => {
  if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
  const gan = createGan(e, { ...TINY, precision: 'f16' }, 2);
  e.write(gan.g.gradients, new Float32Array(gan.g.gradients.shape[0]!).fill(64));
  e.write(gan.lossScaleG!.state, Float32Array.of(64, 3, 0, 0));
  const { gradientNormG, gradientNormD } = await normsOf(e, gan);
  expect(gradientNormG).toBeCloseTo(Math.sqrt(gan.g.gradients.shape[0]!), 3);
  expect(gradientNormD).toBeUndefined();
});

it('fifteen power iterations bring spectral norms within some percent of the truth, from half of it', async () => {
  const { d } = createGan(e, TINY, 2);
  const layers = d.module.normalized;
  const errors = async (iterations: number): Promise<number[]> => {
    iteratePowers(e, Object.values(layers), iterations);
    const found = await spectralNorms(e, layers);
    return Object.entries(truth).map(([name, sigma]) => 1 - found[name]! / sigma);
  };
  const before = await d.state();
  iteratePowers(e, Object.values(layers), 1000);
  const truth = await spectralNorms(e, layers);
  d.load(before);
  expect(Object.keys(truth)).toEqual(['convs.0', 'convs.1', 'convs.2', 'convs.3', 'adversarial', 'classifier']);
  const untouched = await spectralNorms(e, layers);
  expect(await spectralNorms(e, layers)).toEqual(untouched);
  expect(Math.max(...(await errors(1)))).toBeGreaterThan(0.1);
  d.load(before);
  expect(Math.max(...(await errors(15)).map(Math.abs))).toBeLessThan(0.05);
});
