import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultFractions, type SplitItem, splitRecordings } from '../../src/data/split.js';

/** Up to 30 recordings of up to 3 species, by up to 4 recordists or nobody known. */
const collections = fc.uniqueArray(
  fc.record({
    label: fc.constantFrom('robin', 'wren', 'junco'),
    recording: fc.stringMatching(/^[a-f]{1,2}$/),
    recordist: fc.constantFrom('Ada', 'Ben', 'Cy', 'Di', undefined),
  }),
  { maxLength: 30, selector: (item) => `${item.label}/${item.recording}` },
);
const threeParts = { train: 0.6, validation: 0.2, test: 0.2 };

const recordings = (label: string, count: number, recordist?: (i: number) => string): SplitItem[] =>
  Array.from({ length: count }, (_, i) => ({ label, recording: `r${i}`, recordist: recordist?.(i) }));

test('no recordist and no recording of a class is in two parts', () => {
  fc.assert(
    fc.property(collections, fc.integer(), fc.constantFrom(defaultFractions, threeParts), (items, seed, fractions) => {
      const { parts, byRecording } = splitRecordings(items, fractions, seed);
      const partOf = new Map<string, string>();
      for (const [i, { label, recording, recordist }] of items.entries()) {
        const group = recordist && !byRecording.includes(label) ? `by ${recordist}` : recording;
        const key = `${label}/${group}`;
        expect(partOf.get(key) ?? parts[i]).toBe(parts[i]);
        partOf.set(key, parts[i]!);
      }
    }),
  );
});

test('every class of two recordings or more is in both parts; a single one trains, and is said to', () => {
  fc.assert(
    fc.property(collections, fc.integer(), (items, seed) => {
      const { parts, trainOnly } = splitRecordings(items, defaultFractions, seed);
      for (const label of new Set(items.map((item) => item.label))) {
        const own = parts.filter((_, i) => items[i]!.label === label);
        expect(own).toContain('train');
        expect(own.includes('test')).toBe(own.length > 1);
        expect(trainOnly.includes(label)).toBe(own.length === 1);
      }
    }),
  );
});

test('the split depends on the seed and the class, not on the order or on other classes', () => {
  fc.assert(
    fc.property(collections, fc.integer(), (items, seed) => {
      const partsOf = (list: SplitItem[]) => {
        const { parts } = splitRecordings(list, threeParts, seed);
        return new Map(list.map((item, i) => [`${item.label}/${item.recording}`, parts[i]]));
      };
      const whole = partsOf(items);
      expect(partsOf([...items].reverse())).toEqual(whole);
      for (const [key, part] of partsOf(items.filter((item) => item.label === 'wren')))
        expect(part).toBe(whole.get(key));
    }),
  );
  const order = (seed: number) => splitRecordings(recordings('wren', 20), defaultFractions, seed).parts.join();
  expect(order(1)).not.toBe(order(2));
});

describe('shares', () => {
  const count = (items: SplitItem[], fractions = defaultFractions) => {
    const { parts } = splitRecordings(items, fractions, 7);
    return {
      train: 0,
      validation: 0,
      test: 0,
      ...Object.fromEntries(parts.map((p) => [p, parts.filter((q) => q === p).length])),
    };
  };
  test('are met when recordings are free to move', () => {
    expect(count(recordings('wren', 10))).toEqual({ train: 8, validation: 0, test: 2 });
    expect(count(recordings('wren', 10), threeParts)).toEqual({ train: 6, validation: 2, test: 2 });
  });
  test('are approached from below when recordists are large', () => {
    expect(count(recordings('wren', 10, (i) => (i < 9 ? 'Ada' : 'Ben')))).toEqual({ train: 9, validation: 0, test: 1 });
  });
  test('give way to having a test part at all', () => {
    expect(count(recordings('wren', 10, (i) => (i < 6 ? 'Ada' : 'Ben')))).toEqual({ train: 6, validation: 0, test: 4 });
  });
  test('of two recordings are one and one, whatever was asked', () => {
    expect(count(recordings('wren', 2), threeParts)).toEqual({ train: 1, validation: 0, test: 1 });
  });
});

describe('exceptions are said in sentences', () => {
  const notesFor = (items: SplitItem[], fractions = defaultFractions) => splitRecordings(items, fractions, 0);
  test('one recordist for all', () => {
    const { notes, byRecording } = notesFor(recordings('wren', 5, () => 'Ada'));
    expect(byRecording).toEqual(['wren']);
    expect(notes).toEqual([
      expect.stringMatching(/All 5 recordings of "wren" are by Ada: they are split by recording/),
    ]);
  });
  test('a single recording', () => {
    expect(notesFor(recordings('wren', 1)).notes).toEqual([
      expect.stringMatching(/"wren" has a single recording: .*training/),
    ]);
    expect(notesFor(recordings('wren', 1), { train: 1, validation: 0, test: 0 }).notes).toEqual([]);
  });
  test('too few for validation', () => {
    expect(notesFor(recordings('wren', 2), threeParts).notes).toEqual([expect.stringMatching(/left for validation/)]);
  });
  test('nothing to say', () => {
    expect(notesFor(recordings('wren', 5, (i) => `${i}`)).notes).toEqual([]);
  });
});
