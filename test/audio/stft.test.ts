import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planStft, type StftOptions, stftEnergy } from '../../src/audio/stft.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { UserError } from '../../src/io/errors.js';
import { Engine } from '../../src/kernel/engine.js';
import { normal } from '../../src/reference/random.js';
import { stftEnergy as oracle, stftRowFrequency } from '../../src/reference/stft.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const RATES = [8000, 22050, 44100, 48000, 96000];
const options: StftOptions = {
  transform: 'mel',
  rows: 32,
  width: 32,
  fmin: 500,
  fmax: 12000,
  frame: 0.02,
  frameHop: 0.005,
};
const frequenciesOf = (attrs: StftOptions) => Array.from({ length: attrs.rows }, (_, i) => stftRowFrequency(i, attrs));

async function energies(windows: readonly Float32Array[], sampleRate: number, attrs = options) {
  const tensor = stftEnergy(e, windows, sampleRate, attrs);
  expect(tensor.shape).toEqual([windows.length, attrs.rows, attrs.width]);
  const values = await e.read(tensor);
  e.release(tensor);
  const pixels = attrs.rows * attrs.width;
  return windows.map((_, i) => values.subarray(i * pixels, (i + 1) * pixels));
}

const sound = (length: number, value: (m: number) => number) => Float32Array.from({ length }, (_, m) => value(m));
const noise = (seed: number, length: number) => Float32Array.from(normal(seed, 0, length));

describe.each(['mel', 'stft'] as const)('%s', (transform) => {
  it.each([
    [{ rows: 7, width: 5, fmin: 300, fmax: 3500 }, 8000, 700],
    [{ rows: 60, width: 50, fmin: 200, fmax: 3000 }, 8000, 500],
    [{ rows: 9, width: 11, fmax: 9000, frame: 0.03, frameHop: 0.00703 }, 22050, 1001],
    [{ rows: 5, width: 3, fmin: 1000, fmax: 5000 }, 12000, 9],
  ])('%j at %i Hz is that of the definition', async (changes, sampleRate, length) => {
    // Where the hop is even, a sample may lie half in either frame: the definition gives it to the later one.
    const attrs = { ...options, frameHop: 0.0049, ...changes, transform };
    expect(planStft(length, sampleRate, attrs).hop % 2).toBe(1);
    const windows = [1, 2, 3].map((seed) => noise(seed, length));
    const all = await energies(windows, sampleRate, attrs);
    for (const [i, window] of windows.entries()) {
      const expected = oracle(window, { ...attrs, sampleRate }).data;
      const most = expected.reduce((a, b) => Math.max(a, b), 0);
      for (const [pixel, value] of expected.entries()) {
        expect(Math.abs(all[i]![pixel]! - value) / most).toBeLessThan(1e-5);
      }
    }
  });

  it.each(RATES)('gives a tone its amplitude on its row at %i Hz', async (sampleRate) => {
    for (const size of [32, 200]) {
      const attrs = { ...options, transform, rows: size };
      const frequencies = frequenciesOf(attrs);
      const rows = [0, 0.2, 0.4, 0.6, 1].map((part) => Math.round(part * (size - 1)));
      const heard = rows.filter((row) => frequencies[row]! < 0.475 * sampleRate);
      const windows = heard.map((row) =>
        sound(sampleRate / 2, (m) => 0.3 * Math.cos((2 * Math.PI * frequencies[row]! * m) / sampleRate + row)),
      );
      const all = await energies(windows, sampleRate, attrs);
      for (const [i, row] of heard.entries()) {
        for (let q = 1; q < 31; q++) expect(Math.abs(Math.sqrt(all[i]![row * 32 + q]!) / 0.3 - 1)).toBeLessThan(0.01);
      }
    }
  });

  it('follows a chirp within a row', async () => {
    const attrs = { ...options, transform };
    const chirp = sound(44100, (m) => Math.sin(2 * Math.PI * (1000 + 4500 * (m / 44100)) * (m / 44100)));
    const [energy] = await energies([chirp], 44100, attrs);
    const frequencies = frequenciesOf(attrs);
    for (let q = 1; q < 31; q++) {
      const column = frequencies.map((_, row) => energy![row * 32 + q]!);
      const ridge = column.indexOf(Math.max(...column));
      const now = 1000 + (9000 * (q + 0.5)) / 32;
      const below = frequencies.findIndex((frequency) => frequency <= now);
      const nearest = below - (now - frequencies[below]!) / (frequencies[below - 1]! - frequencies[below]!);
      expect(Math.abs(ridge - nearest)).toBeLessThan(1);
    }
  });

  it('shows rows beyond the sample rate as silent', async () => {
    const [energy] = await energies([noise(1, 4000)], 8000, { ...options, transform });
    const silent = frequenciesOf({ ...options, transform }).filter((frequency) => frequency > 3800).length;
    expect(energy!.subarray(0, 32 * silent).every((value) => value === 0)).toBe(true);
    expect(energy!.subarray(32 * silent).every((value) => value > 0)).toBe(true);
  });
});

it('is the same to the bit for each window, whatever else is transformed with it', async () => {
  const windows = Array.from({ length: 30 }, (_, i) => noise(i, 22050));
  const together = await energies(windows, 22050);
  for (const i of [0, 13, 29]) expect(together[i]).toEqual((await energies([windows[i]!], 22050))[0]);
});

it('transforms long windows by parts', async () => {
  const long = noise(1, 40 * 8000);
  const attrs = { ...options, fmax: 3000, frameHop: 0.0005 };
  const [whole] = await energies([long], 8000, attrs);
  // A pixel is 1.25 s; those of the second half begin with sample 160 000.
  const [half] = await energies([long.subarray(4 * 40000)], 8000, { ...attrs, width: 16 });
  for (let row = 0; row < 32; row++) {
    for (let q = 1; q < 15; q++) {
      expect(whole![row * 32 + 16 + q]! / half![row * 16 + q]!).toBeCloseTo(1, 3);
    }
  }
});

it('says what is wrong with windows that it cannot show', () => {
  expect(() => planStft(31, 44100, options)).toThrow('31 samples cannot fill a spectrogram 32 pixels wide');
  expect(() => planStft(2000, 1000, options)).toThrow(UserError);
});
