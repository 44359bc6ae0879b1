import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planScalogram, type ScalogramOptions, scalogramEnergy } from '../../src/audio/scalogram.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { UserError } from '../../src/io/errors.js';
import { Engine } from '../../src/kernel/engine.js';
import { type MotherWavelet, sharpness } from '../../src/reference/motherWavelet.js';
import { normal } from '../../src/reference/random.js';
import { rowFrequencies, waveletEnergy } from '../../src/reference/scalogram.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const RATES = [8000, 22050, 44100, 48000, 96000];
const morlet = { transform: 'morlet', w0: 12 } as const;
const options: ScalogramOptions = { rows: 32, width: 32, fmin: 500, fmax: 12000, ...morlet };

/** All wavelets, about as wide as each other; and shapes that are not symmetric. */
const WAVELETS: readonly MotherWavelet[] = [
  morlet,
  { transform: 'morse', beta: 48, gamma: 3 },
  { transform: 'morse', beta: 30, gamma: 1 },
  { transform: 'bump', mu: 5, sigma: 0.6 },
];

/** Energies of windows of one length, one array a window. */
async function energies(windows: readonly Float32Array[], sampleRate: number, attrs = options) {
  const tensor = scalogramEnergy(e, windows, sampleRate, attrs);
  expect(tensor.shape).toEqual([windows.length, attrs.rows, attrs.width]);
  const values = await e.read(tensor);
  e.release(tensor);
  const pixels = attrs.rows * attrs.width;
  return windows.map((_, i) => values.subarray(i * pixels, (i + 1) * pixels));
}

const sound = (length: number, value: (m: number) => number) => Float32Array.from({ length }, (_, m) => value(m));

const noise = (seed: number, length: number) => Float32Array.from(normal(seed, 0, length));

/** Noise that swells and fades, with a rising tone: something of every level from loud to 60 dB below. */
const birdlike = (seed: number, length: number, sampleRate: number) => {
  const hiss = normal(seed, 0, length);
  return sound(length, (m) => {
    const t = m / sampleRate;
    return (
      0.3 * Math.sin(2 * Math.PI * (1500 + 4000 * t) * t) * Math.sin(20 * t) ** 8 + 0.01 * hiss[m]! * Math.sin(9 * t)
    );
  });
};

/** Differences in dB, their mean and the largest, among pixels within 60 dB of the maximum. */
function decibels(actual: ArrayLike<number>, expected: Float64Array): { mean: number; largest: number } {
  const most = expected.reduce((a, b) => Math.max(a, b), 0);
  const differences = Array.from(expected, (value, i) =>
    value > 1e-6 * most ? [Math.abs(10 * Math.log10(actual[i]! / value))] : [],
  ).flat();
  return { mean: differences.reduce((a, b) => a + b, 0) / differences.length, largest: Math.max(...differences) };
}

describe('scalogramEnergy', () => {
  it('is that of the definition where all bins are transformed back', async () => {
    const attrs = { rows: 5, width: 30, fmin: 1000, fmax: 9000, ...morlet, w0: 7 };
    const windows = [1, 2, 3].map((seed) => noise(seed, 90));
    expect(planScalogram(90, 22050, attrs).groups).toEqual([{ first: 0, rows: 5, bins: 256 }]);
    for (const [i, actual] of (await energies(windows, 22050, attrs)).entries()) {
      const expected = waveletEnergy(windows[i]!, { ...attrs, sampleRate: 22050 });
      expect(decibels(actual, expected.data).largest).toBeLessThan(1e-3);
    }
  });

  it('reflects short windows again and again, and leaves out their mean', async () => {
    const attrs = { rows: 4, width: 3, fmin: 1000, fmax: 9000, ...morlet, w0: 2 };
    const window = noise(1, 9).map((value) => value + 3);
    expect(planScalogram(9, 22050, attrs).padding).toBe(22);
    const [actual] = await energies([window], 22050, attrs);
    const expected = waveletEnergy(window, { ...attrs, sampleRate: 22050 });
    expect(decibels(actual!, expected.data).largest).toBeLessThan(1e-3);
  });

  it.each(RATES)('is within 0.02 dB of the definition on average at %i Hz, from few bins', async (sampleRate) => {
    for (const wavelet of WAVELETS) {
      const attrs = { rows: 9, width: 20, fmin: 600, fmax: 3700, ...wavelet };
      const length = Math.round(0.4 * sampleRate);
      const window = birdlike(1, length, sampleRate);
      const { groups, size } = planScalogram(length, sampleRate, attrs);
      expect(groups.at(-1)!.bins).toBeLessThan(size / 2);
      const [actual] = await energies([window], sampleRate, attrs);
      const expected = waveletEnergy(window, { ...attrs, sampleRate });
      const { mean, largest } = decibels(actual!, expected.data);

      expect(mean, wavelet.transform).toBeLessThan(0.02);
      expect(largest, wavelet.transform).toBeLessThan(0.3);
    }
  });

  it.each(RATES)('gives a tone its amplitude on its row at %i Hz', async (sampleRate) => {
    for (const wavelet of WAVELETS) {
      const attrs = { ...options, ...wavelet };
      const frequencies = rowFrequencies(attrs);
      const rows = [0, 5, 13, 20, 31].filter((row) => frequencies[row]! < 0.475 * sampleRate);
      const windows = rows.map((row) =>
        sound(sampleRate / 2, (m) => 0.3 * Math.cos((2 * Math.PI * frequencies[row]! * m) / sampleRate + row)),
      );
      const all = await energies(windows, sampleRate, attrs);
      for (const [i, row] of rows.entries()) {
        for (let q = 3; q < 29; q++) expect(Math.abs(Math.sqrt(all[i]![row * 32 + q]!) / 0.3 - 1)).toBeLessThan(0.002);
      }
    }
  });

  it.each(WAVELETS)('follows a chirp within a row by $transform', async (wavelet) => {
    const sampleRate = 44100;
    const frequency = (t: number) => 1000 + 9000 * t;
    const chirp = sound(sampleRate, (m) => Math.sin(2 * Math.PI * (1000 + 4500 * (m / sampleRate)) * (m / sampleRate)));
    const [energy] = await energies([chirp], sampleRate, { ...options, ...wavelet });
    const frequencies = rowFrequencies(options);
    for (let q = 1; q < 31; q++) {
      const column = Array.from(frequencies, (_, row) => energy![row * 32 + q]!);
      const ridge = column.indexOf(Math.max(...column));
      const nearest = Math.log(options.fmax / frequency((q + 0.5) / 32)) / Math.log(frequencies[0]! / frequencies[1]!);
      expect(Math.abs(ridge - nearest)).toBeLessThan(1);
    }
  });

  it('lets nothing wrap around', async () => {
    const click = new Float32Array(44100);
    click[0] = 1;
    const [energy] = await energies([click], 44100);
    for (let row = 0; row < 32; row++) {
      expect(energy![row * 32]).toBeGreaterThan(1e-10);
      for (let q = 4; q < 32; q++) expect(energy![row * 32 + q]!).toBeLessThan(1e-10 * energy![row * 32]!);
    }
  });

  it('is the same to the bit for each window, whatever else is transformed with it', async () => {
    const windows = Array.from({ length: 40 }, (_, i) => noise(i, 22050));
    windows[7]!.fill(0);
    const together = await energies(windows, 22050);
    for (const i of [0, 7, 20, 39]) {
      const [alone] = await energies([windows[i]!], 22050);
      expect(together[i]).toEqual(alone);
    }
    expect(together[7]!.every((value) => value === 0)).toBe(true);
  });
});

describe('planScalogram', () => {
  it('transforms each audible row back once, from as many bins as its wavelet fills', () => {
    for (const rate of RATES) {
      for (const size of [32, 64, 256]) {
        const attrs = { ...options, rows: size, width: size };
        const plan = planScalogram(2 * rate, rate, attrs);
        let next = plan.silentRows;
        for (const { first, rows, bins } of plan.groups) {
          expect(first).toBe(next);
          expect(bins * rows * 8).toBeLessThanOrEqual(2 ** 22);
          for (let row = first; row < first + rows; row++) {
            const deviation = 1 / plan.rowTable[4 * row + 2]! / sharpness(morlet);
            expect(bins).toBeGreaterThanOrEqual(Math.min(plan.size, 9 * deviation * 0.9999));
            expect(bins).toBeGreaterThanOrEqual((8 * size * plan.size) / (2 * rate));
          }
          next = first + rows;
        }
        expect(next).toBe(size);
      }
    }
  });

  it('leaves rows beyond the sample rate silent', () => {
    const frequencies = rowFrequencies(options);
    expect(planScalogram(88200, 44100, options).silentRows).toBe(0);
    const { silentRows } = planScalogram(16000, 8000, options);
    expect(frequencies[silentRows - 1]).toBeGreaterThan(3800);
    expect(frequencies[silentRows]).toBeLessThanOrEqual(3800);
  });

  it('says what is wrong with windows that it cannot show', () => {
    expect(() => planScalogram(31, 44100, options)).toThrow(UserError);
    expect(() => planScalogram(31, 44100, options)).toThrow('31 samples cannot fill a spectrogram 32 pixels wide');
    expect(() => planScalogram(2000, 1000, options)).toThrow('holds frequencies up to 475 Hz');
    expect(() => planScalogram(2 ** 20, 44100, options)).toThrow('Use shorter windows');
  });
});
