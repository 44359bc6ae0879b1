import { describe, expect, it } from 'vitest';
import { type MotherWavelet, sharpness, waveletSpectrum, waveletSupport } from '../../src/reference/motherWavelet.js';

const WAVELETS: readonly MotherWavelet[] = [
  { transform: 'morlet', w0: 12 },
  { transform: 'morlet', w0: 2 },
  { transform: 'morse', beta: 48, gamma: 3 },
  { transform: 'morse', beta: 3, gamma: 1 },
  { transform: 'morse', beta: 10_000, gamma: 20 },
  { transform: 'bump', mu: 5, sigma: 0.6 },
];

describe.each(WAVELETS)('%j', (wavelet) => {
  it('is largest, 1, at its own frequency, with the curvature of its sharpness', () => {
    expect(waveletSpectrum(wavelet, 1)).toBeCloseTo(1, 12);
    const step = 0.01 / sharpness(wavelet);
    for (const side of [-step, step]) {
      expect((-2 * Math.log(waveletSpectrum(wavelet, 1 + side))) / step ** 2 / sharpness(wavelet) ** 2).toBeCloseTo(
        1,
        1,
      );
    }
  });

  it('is negligible outside of its support, and nothing below 0', () => {
    const [low, high] = waveletSupport(wavelet);
    for (const u of [low - 1e-9, high + 1e-9, high + 1]) expect(waveletSpectrum(wavelet, u)).toBeLessThan(4.1e-5);
    for (const u of [low + 1e-3, high - 1e-3]) expect(waveletSpectrum(wavelet, u)).toBeGreaterThan(3.9e-5);
    for (const u of [0, -1]) expect(waveletSpectrum(wavelet, u)).toBe(0);
  });
});

it('has the formulas of the literature', () => {
  // Lilly and Olhede 2009: a omega^beta exp(-omega^gamma), whose peak is at (beta / gamma)^(1 / gamma).
  const [beta, gamma] = [20, 3];
  const peak = (beta / gamma) ** (1 / gamma);
  const morse = (omega: number) => omega ** beta * Math.exp(-(omega ** gamma));
  for (const u of [0.6, 0.9, 1.3]) {
    const expected = morse(u * peak) / morse(peak);
    expect(waveletSpectrum({ transform: 'morse', beta, gamma }, u)).toBeCloseTo(expected, 12);
    // exp(1 - 1 / (1 - (omega - mu)^2 / sigma^2)) on (mu - sigma, mu + sigma)
    const omega = 5 * u;
    const inside = Math.abs(omega - 5) < 2 ? Math.exp(1 - 1 / (1 - (omega - 5) ** 2 / 4)) : 0;
    expect(waveletSpectrum({ transform: 'bump', mu: 5, sigma: 2 }, u)).toBeCloseTo(inside, 12);
  }
});
