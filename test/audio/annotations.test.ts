import fc from 'fast-check';
import { expect, test } from 'vitest';
import { windowStarts } from '../../src/audio/annotations.js';

test('a short annotation gives one window, centred on it', () => {
  expect(windowStarts({ start: 3, end: 3.5 }, { window: 2, hop: 1 })).toEqual([2.25]);
  expect(windowStarts({ start: 0.1, end: 0.3 }, { window: 2, hop: 1 })).toEqual([-0.8]);
});

test('a long one gives as many as fit, together in its middle', () => {
  expect(windowStarts({ start: 10, end: 14.5 }, { window: 2, hop: 1 })).toEqual([10.25, 11.25, 12.25]);
  expect(windowStarts({ start: 0.1, end: 0.3 }, { window: 0.1, hop: 0.1 })).toHaveLength(2);
});

test('windows of long annotations stay within them, leave less than a hop, and are centred', () => {
  const tenths = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 300 }), tenths, tenths, (s, d, a, b) => {
      const [start, end, window, hop] = [s / 10, (s + d) / 10, Math.max(a, b) / 10, Math.min(a, b) / 10];
      const starts = windowStarts({ start, end }, { window, hop });
      expect(starts[0]! + starts.at(-1)! + window).toBeCloseTo(start + end);
      if (d < Math.max(a, b)) return void expect(starts).toHaveLength(1);
      expect(starts[0]!).toBeGreaterThan(start - 1e-6);
      expect(starts[0]! - start).toBeLessThan(hop / 2 + 1e-6);
      for (let k = 1; k < starts.length; k++) expect(starts[k]! - starts[k - 1]!).toBeCloseTo(hop);
    }),
  );
});

test('of windows that begin in some part of it, no others are made', () => {
  const settings = { window: 2, hop: 1 };
  const all = windowStarts({ start: 3, end: 30.5 }, settings);
  const some = windowStarts({ start: 3, end: 30.5 }, settings, { from: 7, to: 11.5 });
  expect(some).toEqual(all.filter((start) => start >= 7 && start <= 11.5));
  expect(windowStarts({ start: 0, end: 1e9 }, settings, { from: 0, to: 20 })).toHaveLength(21);
  expect(windowStarts({ start: 0, end: 1e9 }, settings, { from: -20, to: -1 })).toEqual([]);
});
