import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agreementOf, type ResynthesisOptions, resynthesise } from '../../src/audio/resynthesis.js';
import { createSpectrogrammer, type TransformName } from '../../src/audio/spectrogram.js';
import { defaultParameters } from '../../src/data/schema.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { UserError } from '../../src/io/errors.js';
import { Engine } from '../../src/kernel/engine.js';
import { rowFrequencies, waveletMagnitude } from '../../src/reference/scalogram.js';
import { readWhole } from './fixtures.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const SIZE = 48;
const options: ResynthesisOptions = {
  ...defaultParameters,
  rows: SIZE,
  width: SIZE,
  fmax: 6000,
  sampleRate: 16000,
  seconds: 0.5,
  iterations: 30,
};

const sound = (value: (t: number) => number) => Float32Array.from({ length: 8000 }, (_, m) => value(m / 16000));

/** The image of half a second; white is a tone of amplitude 1, or the loudest. */
async function imageOf(samples: Float32Array, transform: TransformName, normalise: 'none' | 'max' = 'max') {
  const make = createSpectrogrammer(e, { ...defaultParameters, transform, normalise, size: SIZE, fmax: 6000 });
  const [image] = await make([{ samples, sampleRate: 16000 }]);
  return image!;
}

/** A rising whistle with a gap, and its image. */
const whistle = (transform: TransformName) =>
  imageOf(
    sound((t) => (t > 0.25 && t < 0.3 ? 0 : 0.3 * Math.sin(2 * Math.PI * (1000 + 3000 * t) * t))),
    transform,
  );

/** Frequency and amplitude of the middle of a sound, by its zero crossings and its root mean square. */
function toneOf(samples: Float32Array): { frequency: number; amplitude: number } {
  const middle = samples.subarray(1000, 7000);
  const crossings = middle.reduce((count, value, m) => count + (m > 0 && value < 0 !== middle[m - 1]! < 0 ? 1 : 0), 0);
  const power = middle.reduce((sum, value) => sum + value ** 2, 0) / middle.length;
  return { frequency: (crossings / 2 / middle.length) * 16000, amplitude: Math.sqrt(2 * power) };
}

/** The amplitude of a tone in the middle of a sound, by its Fourier transform under Hann's window. */
function amplitudeAt(frequency: number, samples: Float32Array): number {
  let [re, im, whole] = [0, 0, 0];
  for (let m = 1000; m < 7000; m++) {
    const weight = Math.sin((Math.PI * (m - 1000)) / 6000) ** 2;
    const angle = (2 * Math.PI * frequency * m) / 16000;
    re += weight * samples[m]! * Math.cos(angle);
    im += weight * samples[m]! * Math.sin(angle);
    whole += weight;
  }
  return (2 * Math.hypot(re, im)) / whole;
}

describe.each(['morlet', 'morse', 'bump', 'mel', 'stft'] as const)('%s', (transform) => {
  it('becomes a sound with the same spectrogram', async () => {
    const { samples, agreement } = await resynthesise(e, await whistle(transform), { ...options, transform });
    expect(samples).toHaveLength(8000);
    expect(agreement.convergence).toBeLessThan(0.15);
    expect(agreement.track).toBe(1);
    // What was white, a tone of amplitude 1, is one.
    expect(samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeGreaterThan(0.8);
    const gap = samples.subarray(4200, 4600).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(gap).toBeLessThan(0.3);
  });
});

describe.each(['morlet', 'mel', 'stft'] as const)('%s', (transform) => {
  it.each([
    [1234, 0.25],
    [4567, 0.14],
  ])('gives a tone of %i Hz back at its frequency and amplitude', async (frequency, steady) => {
    const image = await imageOf(
      sound((t) => 0.3 * Math.sin(2 * Math.PI * frequency * t)),
      transform,
      'none',
    );
    const { samples } = await resynthesise(e, image, { ...options, transform });
    const tone = toneOf(samples);
    expect(Math.abs(tone.frequency / frequency - 1)).toBeLessThan(0.01);
    expect(Math.abs(tone.amplitude / 0.3 - 1)).toBeLessThan(0.1);
    // At one frequency all the time: from random phases, it wavers.
    const around = Array.from({ length: 101 }, (_, i) => amplitudeAt(frequency * (0.98 + 0.0004 * i), samples));
    expect(Math.max(...around)).toBeGreaterThan(steady);
  });
});

it.each(['morlet', 'stft'] as const)('gives a chirp back that rises as it did, by %s', async (transform) => {
  const frequency = (t: number) => 1000 + 6000 * t;
  const image = await imageOf(
    sound((t) => 0.5 * Math.sin(2 * Math.PI * (1000 + 3000 * t) * t)),
    transform,
  );
  const { samples } = await resynthesise(e, image, { ...options, transform });
  const rows = { fmin: 800, fmax: 5000, rows: 60 };
  const { data } = waveletMagnitude(samples, { ...rows, sampleRate: 16000, transform: 'morlet', w0: 12 });
  const frequencies = rowFrequencies(rows);
  for (let m = 800; m < 7200; m += 400) {
    const column = Array.from(frequencies, (_, row) => data[row * 8000 + m]!);
    const ridge = frequencies[column.indexOf(Math.max(...column))]!;
    expect(Math.abs(ridge / frequency(m / 16000) - 1)).toBeLessThan(0.06);
  }
});

describe('recordings of birds', () => {
  const birds = path.resolve('../shared/data/birds');
  const present = existsSync(birds);
  if (!present) console.log(`skipped: there are no recordings in ${birds}`);

  it.runIf(present).each([
    ['morlet', 0.15],
    ['stft', 0.15],
  ] as const)('come back from images by %s', async (transform, limit) => {
    const species = readdirSync(birds).filter((name) => !name.includes('.'))[3]!;
    const { samples: whole, sampleRate } = await readWhole(
      path.join(birds, species, readdirSync(path.join(birds, species))[0]!),
    );
    const samples = whole.slice(0, sampleRate);
    const own = { ...defaultParameters, transform, size: 64 };
    const [image] = await createSpectrogrammer(e, own)([{ samples, sampleRate }]);
    const back = await resynthesise(e, image!, { ...options, ...own, rows: 64, width: 64, sampleRate, seconds: 1 });
    expect(back.agreement.convergence).toBeLessThan(limit);
    // What it says of itself is what preparing the sound again gives.
    const [again] = await createSpectrogrammer(e, { ...own, normalise: 'none' })([
      { samples: back.samples, sampleRate },
    ]);
    const linear = (pixels: Float32Array) => pixels.map((value) => (value > 0 ? 10 ** (((value - 1) * 60) / 20) : 0));
    const measured = agreementOf(linear(again!), linear(image!), { rows: 64, width: 64 });
    expect(measured.convergence).toBeCloseTo(back.agreement.convergence, 2);
    expect(back.image).toEqual(again);
  });
});

it('comes closer by more iterations, is the same again, and leaves no memory behind', async () => {
  const image = await whistle('morlet');
  const run = (iterations: number) => resynthesise(e, image, { ...options, iterations });
  const [few, many] = [await run(2), await run(45)];
  expect(many.agreement.convergence).toBeLessThan(few.agreement.convergence);
  const { inUse } = e.memory();
  expect((await run(2)).samples).toEqual(few.samples);
  expect(e.memory().inUse).toBe(inUse);
});

it('makes silence of black', async () => {
  const { samples, agreement } = await resynthesise(e, new Float32Array(SIZE * SIZE), options);
  expect(samples).toEqual(new Float32Array(8000));
  expect(agreement).toEqual({ convergence: 0, track: 1 });
});

it('says what cannot be', async () => {
  const image = new Float32Array(SIZE * SIZE);
  const { inUse } = e.memory();
  await expect(resynthesise(e, image, { ...options, sampleRate: 60 })).rejects.toThrow(UserError);
  await expect(resynthesise(e, image, { ...options, seconds: 100 })).rejects.toThrow('Use shorter windows');
  expect(e.memory().inUse).toBe(inUse);
});

describe('agreementOf', () => {
  const canvas = { rows: 4, width: 2 };
  const wanted = Float32Array.of(0, 0, 1, 0, 0, 0.05, 0, 0);

  it('is nothing and all of the columns for the same', () => {
    expect(agreementOf(wanted, wanted, canvas)).toEqual({ convergence: 0, track: 1 });
    expect(agreementOf(new Float32Array(8), wanted, canvas).convergence).toBe(1);
  });

  it('follows the loudest row of loud columns, to the next one', () => {
    const next = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 1);
    expect(agreementOf(next, wanted, canvas).track).toBe(1);
    const far = Float32Array.of(0, 0, 0, 0, 0, 0, 1, 0);
    expect(agreementOf(far, wanted, canvas).track).toBe(0);
  });
});
