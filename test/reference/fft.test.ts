import { describe, expect, it } from 'vitest';
import { fft, inverseFft } from '../../src/reference/fft.js';
import { normal } from '../../src/reference/random.js';

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
