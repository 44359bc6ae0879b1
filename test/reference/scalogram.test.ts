import { describe, expect, it } from 'vitest';
import { at } from '../../src/reference/array.js';
import { normal } from '../../src/reference/random.js';
import {
  decibelImage,
  reflectPadding,
  rowFrequencies,
  waveletEnergy,
  waveletMagnitude,
} from '../../src/reference/scalogram.js';

const morlet = { transform: 'morlet', w0: 12 } as const;

describe('wavelets', () => {
  const small = { sampleRate: 100, fmin: 20, fmax: 40, rows: 3, ...morlet, w0: 2 };

  it('spaces rows evenly in pitch, from high to low', () => {
    const frequencies = rowFrequencies({ fmin: 500, fmax: 8000, rows: 5 });
    [8000, 4000, 2000, 1000, 500].forEach((expected, i) => {
      expect(frequencies[i]).toBeCloseTo(expected, 9);
    });
    expect(rowFrequencies({ fmin: 500, fmax: 8000, rows: 1 })).toEqual(Float64Array.of(8000));
  });

  it('is the filter of its definition on the reflected and padded signal', () => {
    const x = normal(1, 0, 20);
    // ceil(3 * 2 * 100 / (2 pi 20)) = 5 samples at each end; 30 samples are padded to 32.
    expect(reflectPadding(small)).toBe(5);
    const size = 32;
    const order = [5, 4, 3, 2, 1, ...x.keys(), 18, 17, 16, 15, 14];
    const padded = Float64Array.from({ length: size }, (_, i) => (i < order.length ? x[order[i]] : 0));
    const magnitude = waveletMagnitude(x, small);
    expect(magnitude.shape).toEqual([3, 20]);
    [40, Math.sqrt(800), 20].forEach((frequency, row) => {
      const centre = (frequency * size) / 100;
      for (const m of [0, 7, 19]) {
        let [re, im] = [0, 0];
        for (let k = 1; k <= size / 2; k++) {
          const gain = 2 * Math.exp(-0.5 * ((k - centre) / (centre / 2)) ** 2);
          padded.forEach((value, t) => {
            const angle = (2 * Math.PI * k * (m + 5 - t)) / size;
            re += (gain * value * Math.cos(angle)) / size;
            im += (gain * value * Math.sin(angle)) / size;
          });
        }
        expect(at(magnitude, row, m)).toBeCloseTo(Math.hypot(re, im), 12);
      }
    });
  });

  it('gives a tone its amplitude on its row, and less on others', () => {
    const attrs = { sampleRate: 22050, fmin: 1000, fmax: 8000, rows: 7, ...morlet };
    const frequencies = rowFrequencies(attrs);
    const amplitude = 0.3;
    for (const row of [0, 3, 6]) {
      const tone = Float64Array.from(
        { length: 3000 },
        (_, m) => amplitude * Math.cos((2 * Math.PI * frequencies[row] * m) / attrs.sampleRate + 1),
      );
      const magnitude = waveletMagnitude(tone, attrs);
      for (const m of [1000, 1500, 2000]) {
        expect(at(magnitude, row, m)).toBeCloseTo(amplitude, 6);
        expect(at(magnitude, row === 0 ? 1 : row - 1, m)).toBeLessThan(0.1 * amplitude);
      }
    }
  });

  it('reflects again and again when the signal is shorter than the padding', () => {
    const constant = new Float64Array(3).fill(1);
    const alternating = Float64Array.of(1, -1, 1);
    const attrs = { ...small, fmin: 10, fmax: 50, rows: 2 };
    expect(reflectPadding(attrs)).toBe(10);
    // Reflected without end, 1 -1 1 is the tone at half the sample rate, of which the analytic filter doubles the bin.
    expect(at(waveletMagnitude(alternating, attrs), 0, 1)).toBeGreaterThan(1.5);
    expect(at(waveletMagnitude(constant, attrs), 0, 1)).toBeLessThan(0.5);
  });

  it('averages energy over the samples of each pixel', () => {
    const x = normal(1, 0, 5);
    const magnitude = waveletMagnitude(x, small);
    const energy = waveletEnergy(x, { ...small, width: 2 });
    expect(energy.shape).toEqual([3, 2]);
    for (let row = 0; row < 3; row++) {
      const squares = [0, 1, 2, 3, 4].map((m) => at(magnitude, row, m) ** 2);
      expect(at(energy, row, 0)).toBeCloseTo((squares[0] + squares[1] + squares[2]) / 3, 14);
      expect(at(energy, row, 1)).toBeCloseTo((squares[3] + squares[4]) / 2, 14);
    }
    expect(() => waveletEnergy(x, { ...small, width: 6 })).toThrow('5 samples do not fill 6 pixels');
  });

  it('scales dB below the maximum to 0..1', () => {
    const x = normal(1, 0, 64);
    const energy = waveletEnergy(x, { ...small, width: 8 });
    const scalogram = decibelImage(energy, 6);
    const largest = Math.max(...energy.data);
    scalogram.data.forEach((value, i) => {
      const db = 10 * Math.log10(energy.data[i] / largest);
      expect(value).toBeCloseTo(db < -6 ? 0 : (db + 6) / 6, 12);
    });
    expect(Math.max(...scalogram.data)).toBe(1);
    expect(Math.min(...scalogram.data)).toBe(0);
    const absolute = decibelImage(energy, 6, largest / 2);
    absolute.data.forEach((value, i) => {
      expect(value).toBeCloseTo(
        Math.min(1, Math.max(0, 1 + (10 * Math.log10((2 * energy.data[i]) / largest)) / 6)),
        12,
      );
    });
  });

  it('shows silence as 0', () => {
    const silence = decibelImage(waveletEnergy(new Float64Array(64), { ...small, width: 8 }), 60);
    expect(silence.data.every((value) => value === 0)).toBe(true);
  });
});
