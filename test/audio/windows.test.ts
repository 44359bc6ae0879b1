import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { peakDb } from '../../src/audio/condition.js';
import { cutWindows } from '../../src/audio/windows.js';
import { defaultParameters } from '../../src/data/schema.js';
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

test('the peak is in dB of full scale', () => {
  expect(peakDb(Float32Array.of(0, 0.1, -0.1))).toBeCloseTo(-20);
  expect(peakDb(Float32Array.of(1, -1))).toBeCloseTo(0);
});
