import { expect, test } from 'vitest';
import { type Conditioning, clippedShare, conditioned, inspect, peakDb } from '../../src/audio/condition.js';
import { tone } from './fixtures.js';

const settings: Conditioning = {
  silenceDb: -60,
  clippedShare: 0.01,
  dropClipped: false,
  removeDc: false,
  normalise: 'max',
};

test('the peak is in dB of full scale', () => {
  expect(peakDb(Float32Array.of(0, 0.1, -0.1))).toBeCloseTo(-20);
  expect(peakDb(Float32Array.of(1, -1))).toBeCloseTo(0);
});

test('a window that clips is kept with a note, or left out', () => {
  const clipped = tone(1, 8000, 997).map((value) => Math.max(-1, Math.min(1, 2.1 * value)));
  const share = clippedShare(clipped);
  expect(share).toBeCloseTo(1 - (2 / Math.PI) * Math.asin(0.99 / 1.05), 2);
  const words = expect.stringMatching(/^clips: \d+ % of its samples are at full scale$/);
  expect(inspect(clipped, settings)).toEqual({ note: words });
  expect(inspect(clipped, { ...settings, dropClipped: true })).toEqual({ fault: words });
  expect(inspect(clipped, { ...settings, clippedShare: 0.5 })).toEqual({});
  expect(inspect(tone(1, 8000), settings)).toEqual({});
});

test('the mean is taken off, and levels become those of a tone of full scale', () => {
  const samples = tone(1, 8000).map((value) => 0.2 * value + 0.3);
  expect(conditioned(samples, settings)).toBe(samples);
  const centred = conditioned(samples, { ...settings, removeDc: true });
  expect(Math.max(...centred)).toBeCloseTo(0.1, 4);
  expect(Math.min(...centred)).toBeCloseTo(-0.1, 4);
  for (const normalise of ['peak', 'rms'] as const) {
    const scaled = conditioned(samples, { ...settings, removeDc: true, normalise });
    expect(Math.max(...scaled)).toBeCloseTo(1, 3);
  }
  expect(Math.max(...conditioned(samples, { ...settings, normalise: 'peak' }))).toBeCloseTo(1, 5);
  const silence = conditioned(new Float32Array(9), { ...settings, removeDc: true, normalise: 'rms' });
  expect(silence).toEqual(new Float32Array(9));
});
