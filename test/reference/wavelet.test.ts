import { describe, expect, it } from 'vitest';
import { at, make } from '../../src/reference/array.js';
import { fft, inverseFft } from '../../src/reference/fft.js';
import { normal } from '../../src/reference/random.js';
import {
  cwt,
  morletEnergy,
  morletMagnitude,
  morletScalogram,
  reflectPadding,
  rowFrequencies,
} from '../../src/reference/wavelet.js';

describe('fft', () => {
  const size = 16;
  const [x, y] = [normal(1, 0, size), normal(1, 1, size)];

  it('is the discrete Fourier transform', () => {
    const [re, im] = [Float64Array.from(x), Float64Array.from(y)];
    fft(re, im);
    for (let k = 0; k < size; k++) {
      let [sumRe, sumIm] = [0, 0];
      for (let m = 0; m < size; m++) {
        const angle = (-2 * Math.PI * k * m) / size;
        sumRe += x[m] * Math.cos(angle) - y[m] * Math.sin(angle);
        sumIm += x[m] * Math.sin(angle) + y[m] * Math.cos(angle);
      }
      expect(re[k]).toBeCloseTo(sumRe, 12);
      expect(im[k]).toBeCloseTo(sumIm, 12);
    }
  });

  it('is undone by its inverse', () => {
    const [re, im] = [Float64Array.from(x), Float64Array.from(y)];
    fft(re, im);
    inverseFft(re, im);
    for (let m = 0; m < size; m++) {
      expect(re[m]).toBeCloseTo(x[m], 14);
      expect(im[m]).toBeCloseTo(y[m], 14);
    }
  });

  it('refuses a length that is no power of two', () => {
    expect(() => fft(new Float64Array(12), new Float64Array(12))).toThrow('12');
  });
});

describe('cwt', () => {
  const attrs = { bandwidth: 1.5, centre: 1, sampleRate: 1000 };

  it('shows the wavelet itself around a click', () => {
    const click = make([101]);
    click.data[50] = 2;
    const { magnitude } = cwt([click, make([2], [100, 250])], attrs);
    for (const [row, a] of [10, 4].entries()) {
      for (const k of [50, 47, 60]) {
        const envelope = Math.exp(-(((50 - k) / a) ** 2) / 1.5) / Math.sqrt(Math.PI * 1.5);
        expect(at(magnitude, row, k)).toBeCloseTo((2 * envelope) / Math.sqrt(a), 12);
      }
    }
  });

  it('is strongest on the row of a tone', () => {
    const tone = make(
      [400],
      Float64Array.from({ length: 400 }, (_, m) => Math.sin(2 * Math.PI * 0.1 * m)),
    );
    const { magnitude } = cwt([tone, make([3], [50, 100, 200])], attrs);
    expect(magnitude.shape).toEqual([3, 400]);
    // Half the tone's amplitude times sqrt(a), since the wavelet's integral against its own tone is 1.
    expect(at(magnitude, 1, 200)).toBeCloseTo(0.5 * Math.sqrt(10), 6);
    expect(at(magnitude, 0, 200)).toBeLessThan(0.1);
    expect(at(magnitude, 2, 200)).toBeLessThan(0.1);
  });
});

describe('morlet', () => {
  const small = { sampleRate: 100, fmin: 20, fmax: 40, rows: 3, w0: 2 };

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
    const magnitude = morletMagnitude(x, small);
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
    const attrs = { sampleRate: 22050, fmin: 1000, fmax: 8000, rows: 7, w0: 12 };
    const frequencies = rowFrequencies(attrs);
    const amplitude = 0.3;
    for (const row of [0, 3, 6]) {
      const tone = Float64Array.from(
        { length: 3000 },
        (_, m) => amplitude * Math.cos((2 * Math.PI * frequencies[row] * m) / attrs.sampleRate + 1),
      );
      const magnitude = morletMagnitude(tone, attrs);
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
    expect(at(morletMagnitude(alternating, attrs), 0, 1)).toBeGreaterThan(1.5);
    expect(at(morletMagnitude(constant, attrs), 0, 1)).toBeLessThan(0.5);
  });

  it('averages energy over the samples of each pixel', () => {
    const x = normal(1, 0, 5);
    const magnitude = morletMagnitude(x, small);
    const energy = morletEnergy(x, { ...small, width: 2 });
    expect(energy.shape).toEqual([3, 2]);
    for (let row = 0; row < 3; row++) {
      const squares = [0, 1, 2, 3, 4].map((m) => at(magnitude, row, m) ** 2);
      expect(at(energy, row, 0)).toBeCloseTo((squares[0] + squares[1] + squares[2]) / 3, 14);
      expect(at(energy, row, 1)).toBeCloseTo((squares[3] + squares[4]) / 2, 14);
    }
    expect(() => morletEnergy(x, { ...small, width: 6 })).toThrow('5 samples do not fill 6 pixels');
  });

  it('scales dB below the maximum to 0..1', () => {
    const x = normal(1, 0, 64);
    const attrs = { ...small, width: 8, rangeDb: 6 };
    const energy = morletEnergy(x, attrs);
    const scalogram = morletScalogram(x, attrs);
    const largest = Math.max(...energy.data);
    scalogram.data.forEach((value, i) => {
      const db = 10 * Math.log10(energy.data[i] / largest);
      expect(value).toBeCloseTo(db < -6 ? 0 : (db + 6) / 6, 12);
    });
    expect(Math.max(...scalogram.data)).toBe(1);
    expect(Math.min(...scalogram.data)).toBe(0);
    const louder = morletScalogram(
      x.map((value) => 8 * value),
      attrs,
    );
    louder.data.forEach((value, i) => {
      expect(value).toBeCloseTo(scalogram.data[i], 12);
    });
  });

  it('shows silence as 0', () => {
    const silence = morletScalogram(new Float64Array(64), { ...small, width: 8, rangeDb: 60 });
    expect(silence.data.every((value) => value === 0)).toBe(true);
  });
});
