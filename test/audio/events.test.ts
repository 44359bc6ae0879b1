import { describe, expect, it } from 'vitest';
import { type EventOptions, findEvents } from '../../src/audio/events.js';
import { normal } from '../../src/reference/random.js';

const options: EventOptions = { fmin: 500, fmax: 12000, eventDb: 12, eventGap: 0.2, eventLength: 0.04 };

/** Noise of standard deviation `level`, with tones [from, to, hertz, amplitude] in it. */
function sound(seconds: number, rate: number, tones: readonly (readonly number[])[], level = 0.01): Float32Array {
  return Float32Array.from(normal(1, 0, Math.round(seconds * rate)), (value, i) => {
    const t = i / rate;
    const sung = tones.filter(([from, to]) => t >= from! && t < to!);
    return level * value + sung.reduce((sum, [, , f, a]) => sum + a! * Math.sin(2 * Math.PI * f! * t), 0);
  });
}

const RATES = [8000, 22050, 44100, 48000, 96000];

describe('findEvents', () => {
  it.each(RATES)('finds tones where they are, and nothing else, at %i Hz', (rate) => {
    const tones = [
      [1, 1.5, 1000, 0.1],
      [3, 3.2, 3000, 0.05],
    ];
    const events = findEvents(sound(6, rate, tones), rate, options);
    expect(events).toHaveLength(2);
    for (const [i, [from, to]] of tones.entries()) {
      expect(Math.abs(events[i]!.start - from!)).toBeLessThan(0.04);
      expect(Math.abs(events[i]!.end - to!)).toBeLessThan(0.04);
    }
    expect(events[0]!.strength).toBeGreaterThan(events[1]!.strength);
  });

  it('hears in its own band what is quieter than all the noise together', () => {
    // Of the noise's energy one part in 60 is in the tone's third of an octave: it is 7 dB below all the noise.
    const events = findEvents(sound(6, 44100, [[2, 2.6, 1000, 0.14]], 0.2), 44100, options);
    expect(events).toHaveLength(1);
    expect(events[0]!.start).toBeCloseTo(2, 1);
  });

  it('joins notes, and leaves clicks and the band outside alone', () => {
    const notes = [0, 1, 2, 3].map((k) => [1 + 0.25 * k, 1.1 + 0.25 * k, 4000, 0.2]);
    const others = [
      [4, 4.5, 200, 0.5],
      [4, 4.5, 15000, 0.5],
      [5, 5.004, 3000, 0.1],
    ];
    const events = findEvents(sound(6, 44100, [...notes, ...others]), 44100, options);
    expect(events).toHaveLength(1);
    expect(events[0]!.start).toBeCloseTo(1, 1);
    expect(events[0]!.end).toBeCloseTo(1.85, 1);
    expect(findEvents(sound(6, 44100, notes), 44100, { ...options, eventGap: 0.05 })).toHaveLength(4);
  });

  it('takes what goes on for most of a minute for background', () => {
    const rate = 16000;
    const steady = sound(60, rate, [
      [5, 55, 2000, 0.1],
      [30, 30.5, 5000, 0.1],
    ]);
    const found = findEvents(steady, rate, options).filter(({ start }) => start > 21 && start < 39);
    expect(found).toHaveLength(1);
    expect(found[0]!.start).toBeCloseTo(30, 1);
  });

  it('takes no echo in an empty band for an event', () => {
    const loud = sound(4, 44100, [[1, 2, 3000, 0.5]], 1e-5);
    const faint = loud.map((value, i) => value + (i > 3 * 44100 ? 0.5e-3 * Math.sin(0.7 * i) : 0));
    expect(findEvents(faint, 44100, options)).toHaveLength(1);
  });

  it('finds nothing in silence, in noise, or in a sample', () => {
    expect(findEvents(new Float32Array(44100), 44100, options)).toEqual([]);
    expect(findEvents(sound(10, 44100, []), 44100, options)).toEqual([]);
    expect(findEvents(Float32Array.of(1), 44100, options)).toEqual([]);
    expect(findEvents(new Float32Array(0), 44100, options)).toEqual([]);
  });
});
