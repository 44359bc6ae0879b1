import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createSpectrogrammer,
  planScalogram,
  type ScalogramOptions,
  scalogramEnergy,
} from '../../src/audio/scalogram.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { UserError } from '../../src/io/errors.js';
import { Engine } from '../../src/kernel/engine.js';
import { normal } from '../../src/reference/random.js';
import { morletEnergy, morletScalogram, rowFrequencies } from '../../src/reference/wavelet.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const RATES = [8000, 22050, 44100, 48000, 96000];
const options: ScalogramOptions = { rows: 32, width: 32, fmin: 500, fmax: 12000, w0: 12 };
const image = { size: 32, fmin: 500, fmax: 12000, w0: 12, rangeDb: 60 };

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
    const attrs = { rows: 5, width: 30, fmin: 1000, fmax: 9000, w0: 7 };
    const windows = [1, 2, 3].map((seed) => noise(seed, 90));
    expect(planScalogram(90, 22050, attrs).groups).toEqual([{ first: 0, rows: 5, bins: 256 }]);
    for (const [i, actual] of (await energies(windows, 22050, attrs)).entries()) {
      const expected = morletEnergy(windows[i]!, { ...attrs, sampleRate: 22050 });
      expect(decibels(actual, expected.data).largest).toBeLessThan(1e-3);
    }
  });

  it('reflects short windows again and again, and leaves out their mean', async () => {
    const attrs = { rows: 4, width: 3, fmin: 1000, fmax: 9000, w0: 2 };
    const window = noise(1, 9).map((value) => value + 3);
    expect(planScalogram(9, 22050, attrs).padding).toBe(22);
    const [actual] = await energies([window], 22050, attrs);
    const expected = morletEnergy(window, { ...attrs, sampleRate: 22050 });
    expect(decibels(actual!, expected.data).largest).toBeLessThan(1e-3);
  });

  it.each(RATES)('is within 0.02 dB of the definition on average at %i Hz, from few bins', async (sampleRate) => {
    const attrs = { rows: 9, width: 20, fmin: 600, fmax: 3700, w0: 12 };
    const length = Math.round(0.4 * sampleRate);
    const window = birdlike(1, length, sampleRate);
    const { groups, size } = planScalogram(length, sampleRate, attrs);
    expect(groups.at(-1)!.bins).toBeLessThan(size / 2);
    const [actual] = await energies([window], sampleRate, attrs);
    const expected = morletEnergy(window, { ...attrs, sampleRate });
    const { mean, largest } = decibels(actual!, expected.data);

    expect(mean).toBeLessThan(0.02);
    expect(largest).toBeLessThan(0.3);
  });

  it.each(RATES)('gives a tone its amplitude on its row at %i Hz', async (sampleRate) => {
    const frequencies = rowFrequencies(options);
    const rows = [0, 5, 13, 20, 31].filter((row) => frequencies[row]! < 0.475 * sampleRate);
    const windows = rows.map((row) =>
      sound(sampleRate / 2, (m) => 0.3 * Math.cos((2 * Math.PI * frequencies[row]! * m) / sampleRate + row)),
    );
    const all = await energies(windows, sampleRate);
    for (const [i, row] of rows.entries()) {
      for (let q = 3; q < 29; q++) expect(Math.sqrt(all[i]![row * 32 + q]!) / 0.3).toBeCloseTo(1, 3);
    }
  });

  it('follows a chirp within a row', async () => {
    const sampleRate = 44100;
    const frequency = (t: number) => 1000 + 9000 * t;
    const chirp = sound(sampleRate, (m) => Math.sin(2 * Math.PI * (1000 + 4500 * (m / sampleRate)) * (m / sampleRate)));
    const [energy] = await energies([chirp], sampleRate);
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
            const deviation = 1 / plan.rowTable[4 * row + 2]!;
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

describe('createSpectrogrammer', () => {
  it('shows dB below the maximum as 0 to 1', async () => {
    const sampleRate = 16000;
    const attrs = { size: 12, fmin: 900, fmax: 6000, w0: 9, rangeDb: 40 };
    const windows = [1, 2].map((seed) => ({ sampleRate, samples: birdlike(seed, 4000, sampleRate) }));
    const images = await createSpectrogrammer(e, attrs)(windows);
    for (const [i, { samples }] of windows.entries()) {
      const expected = morletScalogram(samples, { ...attrs, sampleRate, rows: 12, width: 12 });
      expect(images[i]!.length).toBe(144);
      for (const [pixel, value] of expected.data.entries()) {
        expect(Math.abs(images[i]![pixel]! - value)).toBeLessThan(0.2 / 40);
      }
      expect(Math.max(...images[i]!)).toBe(1);
      expect(Math.min(...images[i]!)).toBe(0);
    }
  });

  it('shows all sample rates on one frequency axis, and windows in the order given', async () => {
    const frequencies = rowFrequencies(options);
    const rows = [19, 27, 30, 23, 31, 21];
    const windows = rows.map((row, i) => {
      const sampleRate = RATES[i % RATES.length]!;
      const pitch = (2 * Math.PI * frequencies[row]!) / sampleRate;
      return { sampleRate, samples: sound(sampleRate / 4, (m) => Math.sin(pitch * m)) };
    });
    const images = await createSpectrogrammer(e, image)(windows);
    for (const [i, row] of rows.entries()) {
      const column = Array.from(frequencies, (_, at) => images[i]![at * 32 + 16]!);
      expect(column.indexOf(Math.max(...column))).toBe(row);
    }
    const silentRows = planScalogram(2000, 8000, options).silentRows;
    expect(images[0]!.subarray(0, silentRows * 32).every((value) => value === 0)).toBe(true);
  });

  it('shows silence as 0, also beside sound, and the quietest sound like any', async () => {
    const sampleRate = 22050;
    const loud = noise(1, 4000);
    const silence = new Float32Array(4000);
    const faint = loud.map((value) => value * 1e-12);
    const constant = silence.map(() => 0.5);
    const make = createSpectrogrammer(e, image);
    const images = await make([silence, loud, faint, constant].map((samples) => ({ samples, sampleRate })));
    expect(images[0]).toEqual(new Float32Array(1024));
    for (const [pixel, value] of images[1]!.entries()) expect(images[2]![pixel]).toBeCloseTo(value, 3);
    for (const shown of images) expect(shown.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(await make([])).toEqual([]);
  });

  it('takes windows of as few samples as pixels', async () => {
    const [shown] = await createSpectrogrammer(e, image)([{ samples: noise(1, 32), sampleRate: 44100 }]);
    expect(shown!.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(Math.max(...shown!)).toBe(1);
  });

  it('needs no more memory for the hundredth call than for the first ones', async () => {
    const make = createSpectrogrammer(e, image);
    const call = (i: number) => {
      const sampleRate = RATES[i % RATES.length]!;
      return make(Array.from({ length: 1 + (i % 3) }, () => ({ sampleRate, samples: noise(i, sampleRate / 50) })));
    };
    for (let i = 0; i < 15; i++) await call(i);
    const before = e.memory();
    for (let i = 0; i < 100; i++) await call(i);
    expect(e.memory()).toEqual(before);
  });

  it('refuses a band that is none', () => {
    expect(() => createSpectrogrammer(e, { ...image, fmin: 12000 })).toThrow('from 12000 to 12000 Hz');
    expect(() => createSpectrogrammer(e, { ...image, fmin: 0 })).toThrow(UserError);
  });
});
