import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planScalogram } from '../../src/audio/scalogram.js';
import {
  createSpectrogrammer,
  resizedBand,
  type SpectrogramOptions,
  type TransformName,
} from '../../src/audio/spectrogram.js';
import { defaultParameters } from '../../src/data/schema.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { UserError } from '../../src/io/errors.js';
import { Engine } from '../../src/kernel/engine.js';
import { normal } from '../../src/reference/random.js';
import { decibelImage, rowFrequencies, waveletEnergy } from '../../src/reference/scalogram.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const RATES = [8000, 22050, 44100, 48000, 96000];
const image: SpectrogramOptions = { ...defaultParameters, size: 32 };
const morlet = { transform: 'morlet', w0: 12 } as const;
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

const options = { rows: 32, width: 32, fmin: 500, fmax: 12000, ...morlet };

describe('createSpectrogrammer', () => {
  it('shows dB below the maximum as 0 to 1', async () => {
    const attrs = { ...image, size: 12, fmin: 900, fmax: 6000, w0: 9, rangeDb: 40 };
    const windows = [1, 2].map((seed) => ({ sampleRate: 16000, samples: birdlike(seed, 4000, 16000) }));
    const images = await createSpectrogrammer(e, attrs)(windows);
    for (const [i, shown] of images.entries()) {
      expect(shown.length).toBe(144);
      const energy = waveletEnergy(windows[i]!.samples, {
        ...{ sampleRate: 16000, rows: 12, width: 12, fmin: 900, fmax: 6000, transform: 'morlet', w0: 9 },
      });
      for (const [pixel, value] of decibelImage(energy, 40).data.entries()) {
        expect(Math.abs(shown[pixel]! - value)).toBeLessThan(0.2 / 40);
      }
      expect(Math.max(...shown)).toBe(1);
      expect(Math.min(...shown)).toBe(0);
    }
  });

  it('shows levels by what white is', async () => {
    const samples = sound(8000, (m) => 0.1 * Math.sin((2 * Math.PI * 1000 * m) / 16000));
    const attrs = { ...image, fmin: 250, fmax: 4000, size: 33 };
    for (const [normalise, white] of [
      ['max', 1],
      ['none', 1 - 20 / 60],
    ] as const) {
      const [shown] = await createSpectrogrammer(e, { ...attrs, normalise })([{ samples, sampleRate: 16000 }]);
      expect(Math.max(...shown!)).toBeCloseTo(white, 2);
    }
    const loud = samples.map((value) => 30 * value);
    const [shown] = await createSpectrogrammer(e, { ...attrs, normalise: 'none' })([
      { samples: loud, sampleRate: 16000 },
    ]);
    expect(Math.max(...shown!)).toBe(1);
  });

  it.each(['morlet', 'mel'] as const)('makes a song in its band as bright as others, by %s', async (transform) => {
    const tones = (m: number) => 0.5 * Math.sin((Math.PI * m) / 10) + 0.01 * Math.sin((Math.PI * m) / 2);
    const samples = sound(8000, tones); // a tone of 800 Hz, and one of 4000 Hz 34 dB below
    const attrs = { ...image, transform, fmin: 250, fmax: 6000, size: 33 };
    const annotation = { start: 0, end: 1, label: 'wren', low: 3000, high: 5000 };
    const both = [
      { samples, sampleRate: 16000 },
      { samples, sampleRate: 16000, annotation },
    ];
    const [plain, banded] = await createSpectrogrammer(e, attrs)(both);
    const brightest = (shown: Float32Array) => Math.max(...shown.subarray(0, 10 * 33)); // rows above 2200 Hz
    expect(brightest(plain!)).toBeCloseTo(1 - 34 / 60, 1);
    expect(brightest(banded!)).toBe(1);
    expect(Math.max(...banded!)).toBe(1);
  });

  it.each(['morse', 'bump', 'mel', 'stft'] as const)('makes pictures by %s, too', async (transform) => {
    const windows = [8000, 44100].map((sampleRate) => ({
      sampleRate,
      samples: birdlike(1, sampleRate / 2, sampleRate),
    }));
    for (const shown of await createSpectrogrammer(e, { ...image, transform })(windows)) {
      expect(Math.max(...shown)).toBe(1);
      expect(shown.filter((value) => value > 0.7).length).toBeGreaterThan(20);
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

it('knows where the middles of rows lie when a spectrogram was resized', () => {
  const { fmin, fmax, size: rows } = image;
  const band = (transform: TransformName, to: number) => {
    const { fmin: lowest, fmax: highest } = resizedBand({ ...image, transform, rows, width: rows }, to);
    return [lowest, highest];
  };
  const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6));
  for (const transform of ['morlet', 'mel', 'stft'] as const) {
    expect(band(transform, rows)).toEqual(close([fmin, fmax]));
  }
  // Half of the rows: between the first two, and between the last two.
  const ratio = (fmax / fmin) ** (0.5 / (rows - 1));
  expect(band('bump', rows / 2)).toEqual(close([fmin * ratio, fmax / ratio]));
  const spacing = (fmax - fmin) / (rows - 1);
  expect(band('stft', rows / 2)).toEqual(close([fmin + spacing / 2, fmax - spacing / 2]));
  expect(band('stft', 2 * rows)).toEqual(close([fmin - spacing / 4, fmax + spacing / 4]));
});
