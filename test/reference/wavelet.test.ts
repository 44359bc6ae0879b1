import { describe, expect, it } from 'vitest';
import { at, make } from '../../src/reference/array.js';
import { cwt } from '../../src/reference/wavelet.js';

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
