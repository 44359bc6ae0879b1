/** Transforms that can be undone: against their definitions in double precision, and phases found by them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { between, type SpectrogramTransform } from '../../src/audio/frame.js';
import { retrieveSignal } from '../../src/audio/griffinLim.js';
import { planScalogram, type ScalogramOptions } from '../../src/audio/scalogram.js';
import { createScalogramFrame } from '../../src/audio/scalogramFrame.js';
import { planStft, type StftOptions } from '../../src/audio/stft.js';
import { createStftFrame } from '../../src/audio/stftFrame.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { UserError } from '../../src/io/errors.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { sizeOf } from '../../src/memory/tensor.js';
import { fft, inverseFft } from '../../src/reference/fft.js';
import { waveletSpectrum } from '../../src/reference/motherWavelet.js';
import { normal } from '../../src/reference/random.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const canvas = { rows: 32, width: 20, fmin: 500, fmax: 6000 };
const [samples, sampleRate] = [4000, 16000];

const SCALOGRAMS: Record<string, ScalogramOptions> = {
  morlet: { ...canvas, transform: 'morlet', w0: 12 },
  morse: { ...canvas, transform: 'morse', beta: 30, gamma: 1.5 },
  bump: { ...canvas, transform: 'bump', mu: 5, sigma: 0.6 },
};
const STFTS: Record<string, StftOptions> = {
  stft: { ...canvas, transform: 'stft', frame: 0.02, frameHop: 0.005 },
  mel: { ...canvas, transform: 'mel', frame: 0.03, frameHop: 0.0047 },
};
const FRAMES: Record<string, () => SpectrogramTransform> = {
  ...mapped(SCALOGRAMS, (options) => createScalogramFrame(e, samples, sampleRate, options)),
  ...mapped(STFTS, (options) => createStftFrame(e, samples, sampleRate, options)),
  'morlet, more rows than needed': () =>
    createScalogramFrame(e, samples, sampleRate, { ...canvas, rows: 150, transform: 'morlet', w0: 12 }),
};

function mapped<T>(all: Record<string, T>, create: (options: T) => SpectrogramTransform) {
  return Object.fromEntries(Object.entries(all).map(([name, options]) => [name, () => create(options)]));
}

/** A signal of the transform, as numbers, of frequencies within the band. */
function inBand({ signalShape }: SpectrogramTransform): Float32Array {
  const size = sizeOf(signalShape);
  if (signalShape.length === 2) {
    // The very ends of what is reflected lie in hardly any frame.
    const isInside = (m: number) => m > 300 && m < size - 300;
    return Float32Array.from({ length: size }, (_, m) => (isInside(m) ? Math.sin(0.4 * m) * Math.sin(0.003 * m) : 0));
  }
  const hertz = sampleRate / 2 / (size / 2 - 1);
  return Float32Array.from(normal(1, 0, size), (value, i) => (isCovered(Math.floor(i / 2) * hertz) ? value : 0));
}

const isCovered = (frequency: number) => frequency > 550 && frequency < 5400;

function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, whole] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    whole += expected[i]! ** 2;
  }
  return actual.length === expected.length ? Math.sqrt(error / whole) : Number.NaN;
}

async function read(tensor: Tensor): Promise<Float32Array> {
  return e.read(tensor).finally(() => e.release(tensor));
}

/** Interleaved complex numbers as real and imaginary parts, and back. */
const parts = (values: ArrayLike<number>) =>
  [0, 1].map((part) => Float64Array.from({ length: values.length / 2 }, (_, i) => values[2 * i + part]!)) as [
    Float64Array,
    Float64Array,
  ];
const interleaved = ([re, im]: readonly [Float64Array, Float64Array]) =>
  Float64Array.from({ length: 2 * re.length }, (_, i) => (i % 2 === 0 ? re : im)[i >> 1]!);

describe.each(Object.entries(FRAMES))('%s', (_name, create) => {
  it('gives a signal back from its own coefficients', async () => {
    const frame = create();
    const x = inBand(frame);
    const back = e.scope(() => frame.synthesise(frame.analyse(e.upload(x, frame.signalShape))));
    expect(relativeError(await read(back), x)).toBeLessThan(2e-3);
  });
});

describe.each(Object.entries(SCALOGRAMS))('rows of %s', (name, options) => {
  const { size, groups, rowTable } = planScalogram(samples, sampleRate, options, 0);
  const wavelet = (k: number, row: number) =>
    k >= 1 && k <= size / 2 ? 2 * waveletSpectrum(options, k / (rowTable[4 * row]! + rowTable[4 * row + 1]!)) : 0;

  it('are those of the definition', async () => {
    const frame = FRAMES[name]!();
    const spectrum = Float32Array.from(normal(3, 0, sizeOf(frame.signalShape)));
    const [re, im] = parts(spectrum);
    const found = frame.analyse(e.upload(spectrum, frame.signalShape));
    expect(found).toHaveLength(groups.length);
    for (const [i, { first, rows, bins }] of groups.entries()) {
      const expected = Array.from({ length: rows }, (_, row) => {
        const start = rowTable[4 * (first + row)]!;
        const cropped = [re, im].map((part) =>
          Float64Array.from(
            { length: bins },
            (_, j) => ((part[start + j] ?? 0) * wavelet(start + j, first + row) * bins) / size,
          ),
        ) as [Float64Array, Float64Array];
        inverseFft(...cropped);
        return [...interleaved(cropped)];
      });
      expect(relativeError(await read(found[i]!), expected.flat())).toBeLessThan(2e-6);
    }
  });

  it('of any numbers become the signal whose rows are nearest to them', async () => {
    // X[k] = sum of h_i[k] Y_i[k] / sum of h_i[k]^2, with Y_i of M points where rows have K.
    const frame = FRAMES[name]!();
    const half = size / 2;
    const [sum, squares] = [new Float64Array(2 * (half + 1)), new Float64Array(half + 1)];
    const coefficients = groups.map(({ first, rows, bins }, i) => {
      const values = Float32Array.from(normal(4, i, 2 * rows * bins));
      for (let row = 0; row < rows; row++) {
        const transformed = parts(values.subarray(2 * row * bins, 2 * (row + 1) * bins));
        fft(...transformed);
        for (let j = 0; j < bins; j++) {
          const k = rowTable[4 * (first + row)]! + j;
          const h = wavelet(k, first + row);
          if (h === 0) continue;
          squares[k]! += h * h;
          for (const [part, y] of transformed.entries()) sum[2 * k + part]! += (h * y[j]! * size) / bins;
        }
      }
      return e.upload(values, [1, rows, bins, 2]);
    });
    const found = await read(frame.synthesise(coefficients));
    const covered = [...found.keys()].filter((i) => isCovered((Math.floor(i / 2) * sampleRate) / size));
    const expected = covered.map((i) => sum[i]! / squares[i >> 1]!);
    expect(
      relativeError(
        covered.map((i) => found[i]!),
        expected,
      ),
    ).toBeLessThan(2e-6);
  });
});

describe.each(Object.entries(STFTS))('frames of %s', (name, options) => {
  const { length, size, hop, frames, padding } = planStft(samples, sampleRate, options);
  const window = Float64Array.from({ length }, (_, m) => Math.sin((Math.PI * m) / length) ** 2);
  const bins = size / 2 + 1;
  const startOf = (t: number) => padding - length / 2 + t * hop;

  it('are those of the definition', async () => {
    const frame = FRAMES[name]!();
    const signal = Float32Array.from(normal(3, 0, sizeOf(frame.signalShape)));
    const expected = Array.from({ length: frames }, (_, t) => {
      const re = Float64Array.from({ length: size }, (_, m) => (m < length ? window[m]! * signal[startOf(t) + m]! : 0));
      const im = new Float64Array(size);
      fft(re, im);
      return [...interleaved([re, im]).subarray(0, 2 * bins)];
    });
    const [found] = frame.analyse(e.upload(signal, frame.signalShape));
    expect(relativeError(await read(found!), expected.flat())).toBeLessThan(2e-6);
  });

  it('of any numbers become the signal whose frames are nearest to them', async () => {
    // x[m] = sum over t of w y_t / sum over t of w^2, y_t the real sequence of a half spectrum.
    const frame = FRAMES[name]!();
    const spectra = Float32Array.from(normal(4, 0, 2 * frames * bins));
    const [sum, squares] = [new Float64Array(sizeOf(frame.signalShape)), new Float64Array(sizeOf(frame.signalShape))];
    for (let t = 0; t < frames; t++) {
      const own = parts(spectra.subarray(2 * t * bins, 2 * (t + 1) * bins));
      const [re, im] = own.map((part, isImaginary) =>
        Float64Array.from({ length: size }, (_, k) => {
          if (k % (size / 2) === 0) return isImaginary ? 0 : part[k]!;
          return k < bins ? part[k]! : (isImaginary ? -1 : 1) * part[size - k]!;
        }),
      ) as [Float64Array, Float64Array];
      inverseFft(re, im);
      for (let m = 0; m < length; m++) {
        sum[startOf(t) + m]! += window[m]! * re[m]!;
        squares[startOf(t) + m]! += window[m]! ** 2;
      }
    }
    const found = await read(frame.synthesise([e.upload(spectra, [frames, bins, 2])]));
    const covered = [...found.keys()].filter((m) => m > length && m < found.length - length);
    const expected = covered.map((m) => sum[m]! / squares[m]!);
    expect(
      relativeError(
        covered.map((m) => found[m]!),
        expected,
      ),
    ).toBeLessThan(2e-6);
  });

  it('of minutes are too many', () => {
    expect(() => createStftFrame(e, 200 * sampleRate, sampleRate, { ...options, frameHop: 0.001 })).toThrow(UserError);
  });
});

describe('retrieveSignal', () => {
  it.each(['morlet', 'stft'])('comes closer to magnitudes that a signal has, by %s', async (name) => {
    const frame = FRAMES[name]!();
    const coefficients = frame.analyse(e.upload(inBand(frame), frame.signalShape));
    const shapes = coefficients.map(({ shape }) => shape.slice(0, -1));
    const magnitudes: Float32Array[] = [];
    for (const part of coefficients) magnitudes.push(magnitudesIn(await read(part)));
    const wanted = magnitudes.map((values, i) => e.upload(values, shapes[i]!));
    const start = e.upload(Float32Array.from(normal(2, 0, sizeOf(frame.signalShape))), frame.signalShape);
    const distances: number[] = [];
    for (const iterations of [1, 10, 60]) {
      const found: number[] = [];
      for (const part of e.scope(() => frame.analyse(retrieveSignal(e, frame, wanted, start, iterations)))) {
        found.push(...magnitudesIn(await read(part)));
      }
      distances.push(
        relativeError(
          found,
          magnitudes.flatMap((values) => [...values]),
        ),
      );
    }
    expect(distances[1]).toBeLessThan(distances[0]!);
    expect(distances[2]).toBeLessThan(0.7 * distances[1]!);
    expect(distances[2]).toBeLessThan(0.15);
  });
});

const magnitudesIn = (values: Float32Array): Float32Array =>
  Float32Array.from({ length: values.length / 2 }, (_, i) => Math.hypot(values[2 * i]!, values[2 * i + 1]!));

it('reads between pixels', () => {
  const pixels = Float32Array.of(1, 3, 7);
  expect([-2, 0, 0.5, 1.25, 2, 9].map((position) => between(pixels, position))).toEqual([1, 1, 2, 4, 7, 7]);
  expect(between(Float32Array.of(5), 0.3)).toBe(5);
});
