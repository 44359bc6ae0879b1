import { expect, it } from 'vitest';
import { at } from '../../src/reference/array.js';
import { hertzToMel, melToHertz, stftEnergy, stftRowFrequency } from '../../src/reference/stft.js';

it("has Slaney's mel", () => {
  // librosa.hz_to_mel of 60, 1000 and 4000 Hz.
  expect(hertzToMel(60)).toBeCloseTo(0.9, 12);
  expect(hertzToMel(1000)).toBeCloseTo(15, 12);
  expect(hertzToMel(4000)).toBeCloseTo(35.1638, 3);
  for (const hertz of [10, 999, 1000, 1001, 12000]) expect(melToHertz(hertzToMel(hertz))).toBeCloseTo(hertz, 9);
});

it('spaces rows evenly in its scale, from high to low', () => {
  const rows = { fmin: 500, fmax: 4000, rows: 8 };
  expect(stftRowFrequency(0, { ...rows, transform: 'stft' })).toBe(4000);
  expect(stftRowFrequency(7, { ...rows, transform: 'stft' })).toBe(500);
  expect(stftRowFrequency(1, { ...rows, transform: 'stft' })).toBe(3500);
  expect(hertzToMel(stftRowFrequency(1, { ...rows, transform: 'mel' }))).toBeCloseTo(35.1638 - (35.1638 - 7.5) / 7, 3);
});

it('gives a tone the square of its amplitude on its row, whichever frames it falls into', () => {
  const attrs = { sampleRate: 8000, fmin: 500, fmax: 3000, width: 4, frame: 0.02, frameHop: 0.005 };
  for (const [transform, rows, row] of [
    ['stft', 6, 2],
    ['stft', 40, 13],
    ['mel', 6, 4],
    ['mel', 50, 40],
  ] as const) {
    const frequency = stftRowFrequency(row, { ...attrs, transform, rows });
    const tone = Float64Array.from({ length: 400 }, (_, m) => 0.3 * Math.sin((2 * Math.PI * frequency * m) / 8000));
    const energy = stftEnergy(tone, { ...attrs, transform, rows });
    for (const q of [1, 2]) expect(at(energy, row, q) / 0.09).toBeCloseTo(1, 1);
    expect(at(energy, 0, 1) / 0.09).toBeLessThan(0.01);
  }
});
