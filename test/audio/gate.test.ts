import { describe, expect, it } from 'vitest';
import { gateNoise } from '../../src/audio/gate.js';
import { normal } from '../../src/reference/random.js';

const rate = 22050;
const noise = Float32Array.from(normal(3, 0, 4 * rate), (value) => 0.01 * value);
const song = Float32Array.from(noise, (_, i) =>
  i >= rate && i < 2 * rate ? 0.2 * Math.sin((2 * Math.PI * 3000 * i) / rate) : 0,
);
const energy = (samples: Float32Array, from: number, to: number) =>
  samples.subarray(from * rate, to * rate).reduce((sum, value) => sum + value * value, 0);

describe('gateNoise', () => {
  const gated = gateNoise(
    noise.map((value, i) => value + song[i]!),
    rate,
    8,
  );

  it('turns noise down by some 30 dB where nothing else sounds', () => {
    const decibels = 10 * Math.log10(energy(gated, 2.5, 3.5) / energy(noise, 2.5, 3.5));
    expect(decibels).toBeLessThan(-20);
    expect(decibels).toBeGreaterThan(-31);
  });

  it('keeps what is louder, to the sample', () => {
    const error = gated.map((value, i) => value - song[i]!);
    expect(10 * Math.log10(energy(error, 1.1, 1.9) / energy(song, 1.1, 1.9))).toBeLessThan(-25);
  });

  it('changes nothing where everything is loud, however short', () => {
    for (const length of [1, 255, 700, 3001]) {
      const samples = noise.slice(0, length);
      const same = gateNoise(samples, rate, -200);
      expect(same).toHaveLength(length);
      for (const [i, value] of samples.entries()) expect(same[i]).toBeCloseTo(value, 8);
    }
  });

  it('leaves silence silent', () => {
    expect(gateNoise(new Float32Array(5000), rate, 8)).toEqual(new Float32Array(5000));
  });
});
