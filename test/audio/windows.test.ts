import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { peakDb } from '../../src/audio/condition.js';
import { cutWindows } from '../../src/audio/windows.js';
import { defaultParameters } from '../../src/data/schema.js';
import { normal } from '../../src/reference/random.js';
import { tone } from './fixtures.js';

const sampleRate = 1000;
const whole = (samples: Float32Array) => ({ samples, sampleRate, first: 0, until: Number.POSITIVE_INFINITY });
const cut = (samples: Float32Array, options = {}) =>
  cutWindows(whole(samples), { ...defaultParameters, removeDc: false, ...options });

test('windows cover the recording from its start, and leave less than a hop at its end', () => {
  const lengths = fc.integer({ min: 1, max: 9000 });
  const steps = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(lengths, steps, steps, (length, a, b) => {
      const [hop, window] = [Math.min(a, b) / 10, Math.max(a, b) / 10];
      fc.pre(length >= window * sampleRate);
      const samples = Float32Array.from({ length }, (_, i) => (i % 2 === 0 ? i : -i) / 9000 + 0.01);
      const { windows, skipped } = cut(samples, { window, hop, silenceDb: -200 });
      expect(skipped).toEqual([]);
      let covered = 0;
      for (const { samples: stretch, start } of windows) {
        const first = Math.round(start * sampleRate);
        expect(first).toBeLessThanOrEqual(covered);
        expect([stretch.byteOffset, stretch.length]).toEqual([4 * first, Math.round(window * sampleRate)]);
        covered = first + stretch.length;
      }
      expect(covered).toBeLessThanOrEqual(length);
      expect(length - covered).toBeLessThan(hop * sampleRate + 1);
    }),
  );
});

test('six seconds give five windows of two seconds with half overlap', () => {
  const { windows } = cut(tone(6.03, sampleRate, 100));
  expect(windows.map((window) => window.start)).toEqual([0, 1, 2, 3, 4]);
  expect(new Set(windows.map((window) => window.samples.length))).toEqual(new Set([2000]));
});

describe('a recording shorter than a window', () => {
  test('is padded with zeros when it fills half of one', () => {
    const samples = tone(1, sampleRate, 100);
    const { windows } = cut(samples);
    expect(windows).toHaveLength(1);
    expect(windows[0]!.samples.subarray(0, 1000)).toEqual(samples);
    expect(windows[0]!.samples.subarray(1000)).toEqual(new Float32Array(1000));
  });
  test('is left out, with the reason, when it does not', () => {
    const { windows, skipped } = cut(tone(0.999, sampleRate, 100));
    expect(windows).toEqual([]);
    expect(skipped).toEqual([{ start: 0, reason: 'is too short (0.999 s; half a window, 1 s, is needed)' }]);
  });
});

test('silent windows are left out, with the reason', () => {
  const samples = new Float32Array(6000).fill(0.3); // an offset without sound
  samples.set(tone(0.1, sampleRate, 100), 3500);
  const { windows, skipped } = cut(samples);
  expect(windows.map((window) => window.start)).toEqual([2, 3]);
  expect(skipped.map((window) => window.start)).toEqual([0, 1, 4]);
  expect(skipped[0]!.reason).toBe('is silent (it never changes)');
});

test('what is done to windows is done to each by itself, and their damage is noted', () => {
  const samples = tone(4, sampleRate, 100).map((value, i) => 0.1 + value * (i < 2000 ? 0.2 : 2.2));
  const { windows } = cut(samples, { hop: 2, removeDc: true, normalise: 'peak' });
  for (const { samples: scaled } of windows) expect(Math.max(...scaled)).toBeCloseTo(1, 3);
  expect(windows[0]!.note).toBeUndefined();
  expect(windows[1]!.note).toMatch(/^clips: /);
  const left = cut(samples, { hop: 2, dropClipped: true });
  expect(left.windows.map(({ start }) => start)).toEqual([0]);
  expect(left.skipped).toEqual([{ start: 2, reason: windows[1]!.note }]);
});

test('gating takes away noise, but decides nothing', () => {
  const hiss = Float32Array.from(normal(1, 0, 6000), (value) => 0.01 * value);
  const gated = cut(hiss, { gateDb: 10 });
  expect(gated.windows).toHaveLength(5);
  const [before, after] = [hiss.subarray(0, 2000), gated.windows[0]!.samples].map(peakDb);
  expect(after! - before!).toBeLessThan(-10);
});

test('a recording cut in stretches gives the same windows', () => {
  const samples = tone(20, sampleRate, 100);
  const settings = { window: 1.3, hop: 0.7 };
  const pieces = [0, 7000, 14000].flatMap((first, i, all) => {
    const until = all[i + 1] ?? Number.POSITIVE_INFINITY;
    const stretch = { samples: samples.subarray(first, until + 1300), sampleRate, first, until };
    return cutWindows(stretch, { ...defaultParameters, ...settings }).windows;
  });
  const at = cut(samples, { ...settings, removeDc: true }).windows;
  expect(pieces.map(({ start }) => start)).toEqual(at.map(({ start }) => start));
  expect(pieces.map((window) => window.samples)).toEqual(at.map((window) => window.samples));
});
