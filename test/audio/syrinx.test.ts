import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRecordings } from '../../src/audio/find.js';
import { type SynthesisedRecording, synthesiseRecordings, writeSyntheticRecordings } from '../../src/audio/syrinx.js';
import { sing } from '../../src/audio/vocalTract.js';
import { temporaryFolder } from '../temporary.js';
import { cpuSpectrogrammer, readWhole } from './fixtures.js';

describe('the oscillator', () => {
  const sampleRate = 24000;
  const voice = { middlePitch: 3000, trachea: 0.025 };

  /** Of the frequencies around `expected`, by a quarter up and down, the one with the most power. */
  function pitchNear(expected: number, sound: Float32Array): number {
    const power = (frequency: number) => {
      const angle = (2 * Math.PI * frequency) / sampleRate;
      const re = sound.reduce((sum, sample, i) => sum + sample * Math.cos(angle * i), 0);
      const im = sound.reduce((sum, sample, i) => sum + sample * Math.sin(angle * i), 0);
      return re * re + im * im;
    };
    const candidates = Array.from({ length: 101 }, (_, i) => expected * (0.75 + i / 200));
    return candidates.reduce((best, candidate) => (power(candidate) > power(best) ? candidate : best));
  }

  test.each([1800, 3000, 5000, 7500])('sings at the pitch that is asked for: %i Hz', (pitch) => {
    const sound = sing([{ at: 0, seconds: 0.2, pitch: () => pitch }], voice, 0.2, sampleRate);
    expect(Math.abs(pitchNear(pitch, sound.subarray(1200, 3600)) / pitch - 1)).toBeLessThan(0.015);
  });

  test('is silent before and after its note, and at about full scale in it', () => {
    const sound = sing([{ at: 0.2, seconds: 0.2, pitch: () => 3000 }], voice, 0.6, sampleRate);
    const peak = (from: number, to: number) =>
      Math.max(...sound.subarray(from * sampleRate, to * sampleRate).map(Math.abs));
    expect(peak(0.25, 0.35)).toBeGreaterThan(0.2);
    expect(peak(0.25, 0.35)).toBeLessThan(3);
    expect(peak(0, 0.19)).toBe(0);
    expect(peak(0.45, 0.6)).toBe(0);
  });

  test('is heard from the beginning when its note began earlier', () => {
    const pitch = () => 3000;
    const early = sing([{ at: -0.1, seconds: 0.3, pitch }], voice, 0.2, sampleRate);
    const whole = sing([{ at: 0, seconds: 0.3, pitch }], voice, 0.3, sampleRate);
    expect(early).toEqual(whole.subarray(2400));
  });
});

const small = { seed: 3, recordingsPerSpecies: 2, seconds: 1, sampleRate: 16000 };

test('a seed fixes every sample, however many species and recordings there are', () => {
  const some = synthesiseRecordings({ ...small, species: 2 });
  const more = synthesiseRecordings({ ...small, species: 3, recordingsPerSpecies: 3 });
  for (const recording of some) {
    const twin = more.find(({ label, recording: name }) => label === recording.label && name === recording.recording)!;
    expect(Buffer.from(twin.samples.buffer).equals(Buffer.from(recording.samples.buffer))).toBe(true);
  }
  const other = synthesiseRecordings({ ...small, species: 1, seed: 4 });
  expect(Buffer.from(other[0]!.samples.buffer).equals(Buffer.from(some[0]!.samples.buffer))).toBe(false);
});

test('recordings say that they are synthetic and who sings, and stay within full scale', () => {
  const recordings = synthesiseRecordings({ ...small, species: 8, recordingsPerSpecies: 3 });
  expect(new Set(recordings.map((recording) => recording.label)).size).toBe(8);
  for (const { label, recording, recordist, samples, sampleRate } of recordings) {
    expect(label).toMatch(/^synthetic /);
    expect(recording).toMatch(/^[a-z-]+-0[123]$/);
    expect(recordist).toBe(`${label}, bird ${recording.endsWith('3') ? 2 : 1}`);
    expect([samples.length, sampleRate]).toEqual([16000, 16000]);
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peak).toBeGreaterThan(0.2); // NaN would fail here
    expect(peak).toBeLessThan(0.91);
  }
});

test('species are told apart on small spectrograms, by birds that were not heard before', async () => {
  const size = 24;
  const recordings = synthesiseRecordings({ seed: 5, recordingsPerSpecies: 6, seconds: 2 });
  const images = await cpuSpectrogrammer(size)(recordings);
  // Per row its mean and spread over time: when a note comes does not matter.
  const features = images.map((image) =>
    Array.from({ length: size }, (_, row) => {
      const values = image.subarray(row * size, (row + 1) * size);
      const mean = values.reduce((sum, value) => sum + value, 0) / size;
      const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size);
      return [mean, spread];
    }).flat(),
  );
  const isTest = (recording: SynthesisedRecording) => recording.recordist.endsWith('bird 3');
  const labels = [...new Set(recordings.map((recording) => recording.label))];
  const means = labels.map((label) => {
    const own = features.filter((_, i) => recordings[i]!.label === label && !isTest(recordings[i]!));
    return own[0]!.map((_, k) => own.reduce((sum, feature) => sum + feature[k]!, 0) / own.length);
  });
  const nearest = (feature: number[]) => {
    const distances = means.map((mean) => Math.hypot(...mean.map((value, k) => value - feature[k]!)));
    return labels[distances.indexOf(Math.min(...distances))];
  };
  const tested = recordings.map((recording, i) => [recording, features[i]!] as const).filter(([r]) => isTest(r));
  const right = tested.filter(([recording, feature]) => nearest(feature) === recording.label).length;
  expect(tested).toHaveLength(12);
  expect(right).toBeGreaterThanOrEqual(9); // chance: 2
});

test('written as files, they are found and decode to the same samples', async () => {
  const dir = temporaryFolder();
  const options = { ...small, species: 2 };
  expect(await writeSyntheticRecordings(dir, options)).toBe(4);
  const { recordings, skipped } = await findRecordings(dir);
  expect(skipped).toEqual([]);
  const expected = synthesiseRecordings(options);
  expect(recordings.map(({ label, recordist }) => ({ label, recordist }))).toEqual(
    expected.map(({ label, recordist }) => ({ label, recordist })),
  );
  const { samples } = await readWhole(recordings[0]!.path);
  expect(Math.max(...samples.map((sample, i) => Math.abs(sample - expected[0]!.samples[i]!)))).toBeLessThan(2 / 32767);
  expect(readFileSync(path.join(dir, 'MANIFEST.tsv'), 'utf8').split('\n')[1]).toBe(
    'synthetic trill/trill-01.wav\tsynthetic trill\ttrill-01\tsynthetic trill, bird 1\t16000\t1\t1.000',
  );
});

test.each([
  ['species', 9],
  ['species', 1.5],
  ['recordingsPerSpecies', 0],
  ['seconds', Number.NaN],
  ['sampleRate', 8000],
])('%s = %d is refused by name', (name, value) => {
  expect(() => synthesiseRecordings({ seed: 0, [name]: value })).toThrow(
    new RegExp(`^"${name}" \\(${value}\\) must be`),
  );
});
