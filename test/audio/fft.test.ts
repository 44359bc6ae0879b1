import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fft, inverseFft, inverseRealFft, radices, realFft } from '../../src/audio/fft.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { fft as oracle } from '../../src/reference/fft.js';
import { normal } from '../../src/reference/random.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

/** What `body` makes, read back. */
async function result(body: () => Tensor): Promise<Float32Array> {
  const tensor = e.scope(body);
  const values = await e.read(tensor);
  e.release(tensor);
  return values;
}

/** The float64 transforms of interleaved sequences of n, interleaved. */
function transforms(x: ArrayLike<number>, n: number): Float64Array {
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += 2 * n) {
    const re = Float64Array.from({ length: n }, (_, m) => x[start + 2 * m]!);
    const im = Float64Array.from({ length: n }, (_, m) => x[start + 2 * m + 1]!);
    oracle(re, im);
    for (let k = 0; k < n; k++) y.set([re[k]!, im[k]!], start + 2 * k);
  }
  return y;
}

/** max |actual - expected| / max |expected|; NaN where the lengths differ. */
function error(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let [worst, largest] = [0, 0];
  for (let i = 0; i < actual.length; i++) {
    const distance = Math.abs(actual[i]! - expected[i]!);
    if (!(distance <= worst)) worst = distance;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}

describe('fft', () => {
  it.each([...Array(12).keys()].map((i) => 2 ** (i + 1)))(
    'of %i points is the discrete Fourier transform of every sequence',
    async (n) => {
      const x = Float32Array.from(normal(1, n, 3 * 2 * n));
      const y = await result(() => fft(e, e.upload(x, [3, n, 2])));
      expect(error(y, transforms(x, n))).toBeLessThan(4e-7);
      const back = await result(() => inverseFft(e, e.upload(y, [3, n, 2])));
      expect(error(back, x)).toBeLessThan(1e-6);
    },
  );

  it.each([
    ['noise', 2 ** 17, (noise: number) => noise],
    ['a tone', 2 ** 17, (_noise: number, i: number) => Math.cos(0.3 * i)],
    ['a click', 2 ** 17, (_noise: number, i: number) => (i === 77_777 ? 1 : 0)],
    ['noise', 2 ** 20, (noise: number) => noise],
  ])('keeps six digits of %s of %i points', async (_name, n, signal) => {
    const x = Float32Array.from(normal(1, 5, 2 * n), signal);
    const y = await result(() => fft(e, e.upload(x, [n, 2])));
    expect(error(y, transforms(x, n))).toBeLessThan(1e-6);
  });

  it('shares one table among all sizes, and gives everything else back', async () => {
    const run = (n: number) => result(() => fft(e, e.upload(new Float32Array(2 * n).fill(1), [n, 2])));
    await run(2 ** 12);
    const { inUse } = e.memory();
    await run(16);
    expect(e.memory().inUse).toBe(inUse);
  });

  it('is right again after the scope that its table was made in has ended', async () => {
    const other = new Engine(gpu);
    const x = Float32Array.from(normal(1, 0, 64));
    const run = () => fft(other, other.upload(x, [32, 2]));
    other.scope(() => [run().shape.length]);
    expect(other.memory().inUse).toBe(0);
    const overwriting = other.upload(new Float32Array(64), [32, 2]);
    const y = await other.read(run());
    expect(error(y, transforms(x, 32))).toBeLessThan(4e-7);
    expect(await other.read(overwriting)).toEqual(new Float32Array(64));
  });

  it('takes eight points at a time as long as it can', () => {
    expect(radices(2)).toEqual([2]);
    expect(radices(16)).toEqual([4, 4]);
    expect(radices(2 ** 17)).toEqual([8, 8, 8, 8, 8, 4]);
    for (let bits = 1; bits <= 20; bits++) expect(radices(2 ** bits).reduce((a, b) => a * b)).toBe(2 ** bits);
  });

  it('refuses what is no power of two, or not complex', () => {
    const x = e.empty([2, 12, 2]);
    expect(() => fft(e, x)).toThrow('[2, 12, 2]');
    expect(() => fft(e, { ...x, shape: [3, 16] })).toThrow('[3, 16]');
    expect(() => realFft(e, { ...x, shape: [24, 2] })).toThrow('[24, 2]');
    e.release(x);
  });
});

describe('realFft', () => {
  it.each([4, 8, 64, 2 ** 11])('of %i samples is the first half of the complex transform', async (n) => {
    const x = Float32Array.from(normal(2, n, 2 * n));
    const spectrum = await result(() => realFft(e, e.upload(x, [2, n])));
    const whole = transforms(
      Float32Array.from({ length: 4 * n }, (_, i) => (i % 2 === 0 ? x[i / 2]! : 0)),
      n,
    );
    const expected = [...whole.subarray(0, n + 2), ...whole.subarray(2 * n, 3 * n + 2)];
    expect(error(spectrum, expected)).toBeLessThan(4e-7);
    const back = await result(() => inverseRealFft(e, e.upload(spectrum, [2, n / 2 + 1, 2])));
    expect(error(back, x)).toBeLessThan(1e-6);
  });
});
