/** Phases by the gradient of magnitudes: exact where the window is a Gaussian. */
import { describe, expect, it } from 'vitest';
import { integratePhases, type PhaseGrid } from '../../src/audio/phases.js';

const [rows, width] = [30, 40];
const grid: PhaseGrid = {
  width,
  step: 0.004,
  frequencies: Array.from({ length: rows }, (_, i) => 3000 - 20 * i),
  gammas: Array<number>(rows).fill(2e-4),
};
const image = (amplitude: (row: number, q: number) => number) =>
  Float64Array.from({ length: rows * width }, (_, i) => amplitude(Math.floor(i / width), i % width));
const frequencyOf = (row: number) => 3000 - 20 * row;

describe('integratePhases', () => {
  it('turns all rows about a tone as the tone turns', () => {
    const tone = 2713.7;
    const phases = integratePhases(
      image((row) => Math.exp(-Math.PI * 2e-4 * (frequencyOf(row) - tone) ** 2)),
      grid,
    );
    const start = phases(14, 0);
    // Within 80 dB of the loudest.
    for (let row = 9; row < 20; row++) {
      for (const q of [0, 0.3, 1, 17.25, 38.9, 39]) {
        expect(phases(row, q) - start, `row ${row}, column ${q}`).toBeCloseTo(tone * 0.004 * q, 6);
      }
    }
  });

  it('turns rows after a click by the time since', () => {
    const click = 20.4;
    const phases = integratePhases(
      image((_, q) => Math.exp((-Math.PI * ((q - click) * 0.004) ** 2) / 2e-4)),
      grid,
    );
    for (const q of [18, 20, 21, 23]) {
      const apart = phases(11, q) - phases(10, q);
      expect(apart, `column ${q}`).toBeCloseTo((q - click) * 0.004 * -20, 6);
    }
  });

  it('begins anew in every part of an image that black surrounds, and of black gives numbers', () => {
    const phases = integratePhases(
      image((row, q) => (q === 20 ? 0 : Math.exp(-Math.PI * 2e-4 * (frequencyOf(row) - (q < 20 ? 2700 : 2500)) ** 2))),
      grid,
    );
    expect(phases(15, 19) - phases(15, 0)).toBeCloseTo(2700 * 0.004 * 19, 6);
    expect(phases(25, 39) - phases(25, 21)).toBeCloseTo(2500 * 0.004 * 18, 6);
    expect(
      Number.isFinite(
        integratePhases(
          image(() => 0),
          grid,
        )(3, 4.5),
      ),
    ).toBe(true);
  });

  it('takes a single row, and a single column', () => {
    const row = integratePhases([1, 1, 1], { width: 3, step: 0.01, frequencies: [1000], gammas: [1e-4] });
    expect(row(0, 2) - row(0, 0)).toBeCloseTo(20, 9);
    const column = integratePhases([1, 1], { width: 1, step: 0.01, frequencies: [1000, 900], gammas: [1e-4, 1e-4] });
    expect(Number.isFinite(column(1, 0.4))).toBe(true);
  });
});
