import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cwt } from '../../src/audio/wavelet.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { UserError } from '../../src/io/errors.js';
import { Engine } from '../../src/kernel/engine.js';
import { make } from '../../src/reference/array.js';
import { normal } from '../../src/reference/random.js';
import { type CwtAttrs, cwt as oracle } from '../../src/reference/wavelet.js';
import { distance, readCases, scales } from '../reference/referenceCases.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

async function magnitude(samples: ArrayLike<number>, frequencies: readonly number[], attrs: CwtAttrs) {
  const tensor = cwt(e, Float32Array.from(samples), frequencies, attrs);
  expect(tensor.shape).toEqual([frequencies.length, samples.length]);
  const values = await e.read(tensor);
  e.release(tensor);
  return values;
}

/** The largest difference to the float64 definition, relative to its largest value. */
async function error(samples: ArrayLike<number>, frequencies: readonly number[], attrs: CwtAttrs): Promise<number> {
  const x = make([samples.length], Float32Array.from(samples));
  const expected = oracle([x, make([frequencies.length], frequencies)], attrs);
  const actual = await magnitude(samples, frequencies, attrs);
  return distance(actual, expected.magnitude.data) / scales({ magnitude: expected.magnitude }).magnitude!;
}

describe('cwt', () => {
  const attrs = { bandwidth: 1.5, centre: 1, sampleRate: 1000 };

  it.each([
    ['one sample', 1, [100], attrs],
    ['a few samples', 7, [50, 200], attrs],
    ['wavelets longer than the signal', 100, [2, 4, 8], attrs],
    ['frequencies up to half the sample rate and beyond', 300, [300, 450, 490, 500, 620], attrs],
    [
      'a short wavelet, whose spectrum overlaps itself',
      200,
      [100, 400, 500],
      { ...attrs, bandwidth: 0.3, centre: 0.6 },
    ],
    ['a long wavelet', 500, [60, 61, 62], { ...attrs, bandwidth: 9, centre: 2 }],
  ] as const)('agrees with its definition: %s', async (_name, length, frequencies, options) => {
    expect(await error(normal(1, 0, length), frequencies, options)).toBeLessThan(2e-6);
  });

  it('lets nothing wrap around: a click at the end is not heard at the beginning', async () => {
    const click = new Float32Array(512);
    click[511] = 1;
    const rows = await magnitude(click, [50, 100], attrs);
    expect(rows[511]).toBeGreaterThan(0.05);
    expect(Math.max(...rows.subarray(0, 200), ...rows.subarray(512, 712))).toBeLessThan(1e-7);
  });

  it('transforms rows a few at a time where they are many, in the same way', async () => {
    const x = normal(1, 0, 40_000);
    const frequencies = Array.from({ length: 80 }, (_, i) => 100 + 4 * i);
    const all = await magnitude(x, frequencies, attrs);
    const last = await magnitude(x, frequencies.slice(77), attrs);
    expect(all.subarray(77 * 40_000)).toEqual(last);
  });

  it('agrees with recorded cases', async () => {
    for (const test of readCases('wavelets.safetensors') ?? []) {
      const { x, frequencies } = test.inputs;
      const values = await magnitude(x!.data, [...frequencies!.data], test.attrs as CwtAttrs);
      const expected = test.outputs.magnitude!;
      const worst = distance(values, expected.data) / scales({ magnitude: expected }).magnitude!;
      expect(worst, test.name).toBeLessThan(1e-5);
    }
  });

  it('gives back all memory but the result and one table', async () => {
    const x = normal(1, 0, 1000);
    await magnitude(x, [50, 100], attrs);
    const before = e.memory();
    for (let i = 0; i < 20; i++) await magnitude(x, [50, 100], attrs);
    expect(e.memory()).toEqual(before);
  });

  it('refuses frequencies that have no wavelet, or too long a one', () => {
    const x = new Float32Array(10);
    for (const frequencies of [[], [100, 0], [-5], [Number.NaN]]) {
      expect(() => cwt(e, x, frequencies, attrs)).toThrow(UserError);
    }
    expect(() => cwt(e, x, [1e-4], attrs)).toThrow('Use a higher frequency');
    expect(e.memory().inUse).toBeLessThan(2 ** 24);
  });
});
