import { describe, expect, it } from 'vitest';
import type { Annotation } from '../../src/audio/annotations.js';
import { type Placing, placeWindows } from '../../src/audio/places.js';
import type { Stretch } from '../../src/audio/stretches.js';
import { normal } from '../../src/reference/random.js';

const sampleRate = 8000;
const settings: Placing = {
  window: 2,
  hop: 1,
  windows: 'events',
  noiseWindows: 0,
  fmin: 500,
  fmax: 3900,
  eventDb: 12,
  eventGap: 0.2,
  eventLength: 0.04,
};

/** Hiss with tones [from, to, amplitude] in it. */
function recording(seconds: number, ...tones: readonly [number, number, number][]): Float32Array {
  return Float32Array.from(normal(1, 0, seconds * sampleRate), (value, i) => {
    const t = i / sampleRate;
    const [, , level = 0] = tones.find(([from, to]) => t >= from && t < to) ?? [];
    return 0.001 * value + level * Math.sin(2 * Math.PI * 2000 * t);
  });
}

const whole = (samples: Float32Array): Stretch => ({ samples, sampleRate, first: 0, until: Number.POSITIVE_INFINITY });

/** Two stretches, cut at `at` seconds, with the overlap of a window. */
function halves(samples: Float32Array, at: number): Stretch[] {
  const until = at * sampleRate;
  return [
    { samples: samples.subarray(0, until + settings.window * sampleRate), sampleRate, first: 0, until },
    { samples: samples.subarray(until), sampleRate, first: until, until: Number.POSITIVE_INFINITY },
  ];
}

const middles = ({ places }: ReturnType<typeof placeWindows>) =>
  places.map(({ at }) => Math.round((10 * at) / sampleRate + 5 * settings.window) / 10);

describe('events', () => {
  const samples = recording(20, [0.1, 0.4, 0.1], [5, 5.6, 0.1], [6.1, 6.4, 0.05], [10, 14, 0.05], [19.7, 19.9, 0.1]);

  it('are in the middle of their windows, but at the ends; long ones give several', () => {
    const found = placeWindows(whole(samples), settings);
    expect(middles(found)).toEqual([1, 5.3, 11, 12, 13, 19]);
    expect(found.skipped).toEqual([]);
  });

  it('closer than a hop are seen in the window of the stronger one', () => {
    expect(middles(placeWindows(whole(samples), { ...settings, hop: 0.9 }))).toContain(6.3);
    const places = placeWindows(whole(samples), settings).places;
    const gaps = places.slice(1).map(({ at }, i) => at - places[i]!.at);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(sampleRate - 1);
  });

  it('give the same windows from stretches', () => {
    const expected = middles(placeWindows(whole(samples), settings));
    for (const at of [4, 5, 7, 9]) {
      expect(halves(samples, at).flatMap((stretch) => middles(placeWindows(stretch, settings)))).toEqual(expected);
    }
  });

  it('are missed with a reason', () => {
    const { places, skipped } = placeWindows(whole(recording(5)), settings);
    expect(places).toEqual([]);
    expect(skipped).toEqual([
      { start: 0, reason: 'holds no event: nothing is 12 dB above the background from 500 to 3900 Hz' },
    ]);
  });
});

describe('a grid', () => {
  const grid: Placing = { ...settings, windows: 'grid' };
  const starts = (samples: Float32Array, placing: Placing) =>
    halves(samples, 3).flatMap((stretch) => placeWindows(stretch, placing).places.map(({ at }) => at / sampleRate));

  it('leaves less than a hop over at the end, or nothing', () => {
    const samples = recording(6).subarray(0, 5.5 * sampleRate);
    expect(starts(samples, grid)).toEqual([0, 1, 2, 3]);
    expect(starts(samples, { ...grid, toEnd: true })).toEqual([0, 1, 2, 3, 3.5]);
    expect(starts(samples.subarray(0, 5 * sampleRate + 1), { ...grid, toEnd: true })).toEqual([0, 1, 2, 3]);
  });

  it('reaches the end from a stretch in which no window of it begins', () => {
    const samples = recording(6).subarray(0, 5.5 * sampleRate);
    const wide = { ...grid, hop: 2, toEnd: true };
    expect(starts(samples, wide)).toEqual([0, 2, 3.5]);
  });
});

describe('noise', () => {
  const samples = recording(20, [5.1, 5.5, 0.1], [10.1, 13.9, 0.1]);
  const noisy = { ...settings, noiseWindows: 3 };

  it('is what lies between events, and away from them', () => {
    const { places } = placeWindows(whole(samples), noisy);
    const starts = places.filter(({ label }) => label === 'noise').map(({ at }) => at / sampleRate);
    for (const [i, start] of starts.entries()) {
      for (const [from, to] of [
        [5.1, 5.5],
        [10.1, 13.9],
      ] as const) {
        expect(start + 2 <= from - 0.19 || start >= to + 0.19).toBe(true);
      }
      if (i > 0) expect(start - starts[i - 1]!).toBeGreaterThanOrEqual(1.99);
    }
    // Two before 5 s, two before 10 s, and two after 14 s.
    expect(starts).toHaveLength(6);
  });

  it('takes the empty windows of a grid out of the song', () => {
    const { places, skipped } = placeWindows(whole(samples), { ...noisy, windows: 'grid' });
    const songs = places.filter(({ label }) => label === undefined).map(({ at }) => at / sampleRate);
    expect(songs).toEqual([4, 5, 9, 10, 11, 12, 13]);
    expect(skipped.map(({ start }) => start)).toEqual([0, 1, 2, 3, 6, 7, 8, 14, 15, 16, 17, 18]);
    expect(skipped[0]!.reason).toBe('holds no event: nothing in it is 12 dB above the background');
  });
});

describe('annotations', () => {
  const samples = recording(20, [1, 2, 0.1]);
  const annotations: Annotation[] = [
    { start: 0.2, end: 0.6, label: 'wren' },
    { start: 7, end: 8, label: 'robin' },
    { start: 7.002, end: 8, label: 'robin' },
    { start: 7, end: 8, label: 'wren' },
    { start: 19, end: 23, label: 'wren' },
  ];

  it('give windows under their labels, whatever sounds elsewhere and whatever is asked for', () => {
    for (const windows of ['grid', 'events'] as const) {
      const { places } = placeWindows(whole(samples), { ...settings, windows }, annotations);
      const found = places.map(({ at, label }) => `${(at / sampleRate).toFixed(1)} ${label}`);
      expect(found).toEqual(['0.0 wren', '6.5 robin', '6.5 wren', '18.0 wren']);
    }
  });

  it('belong to the stretch in which their windows begin', () => {
    const found = halves(samples, 10).map((stretch) => placeWindows(stretch, settings, annotations).places.length);
    expect(found).toEqual([3, 1]);
  });

  it('that never end give the windows of the recording', () => {
    const endless: Annotation[] = [{ start: 4, end: 1e9, label: 'wren' }];
    const found = halves(samples, 10).flatMap((stretch) => placeWindows(stretch, settings, endless).places);
    const starts = found.map(({ at }) => Math.round(at / sampleRate));
    expect(starts).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
  });

  it('that are missing leave noise only', () => {
    const { places, skipped } = placeWindows(whole(samples), { ...settings, noiseWindows: 5 }, []);
    expect(places.every(({ label }) => label === 'noise')).toBe(true);
    expect(places).toHaveLength(10);
    expect(skipped).toEqual([{ start: 0, reason: 'holds no annotation' }]);
  });
});
