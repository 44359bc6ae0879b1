import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultFractions, type Part, partsOfFold } from '../../src/data/parts.js';
import { type SplitItem, splitRecordings } from '../../src/data/split.js';

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
      const { parts, byRecording } = splitRecordings(items, { fractions, seed });
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
      const { parts, trainOnly } = splitRecordings(items, { fractions: defaultFractions, seed });
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
        const { parts } = splitRecordings(list, { fractions: threeParts, seed });
        return new Map(list.map((item, i) => [`${item.label}/${item.recording}`, parts[i]]));
      };
      const whole = partsOf(items);
      expect(partsOf([...items].reverse())).toEqual(whole);
      for (const [key, part] of partsOf(items.filter((item) => item.label === 'wren')))
        expect(part).toBe(whole.get(key));
    }),
  );
  const order = (seed: number) =>
    splitRecordings(recordings('wren', 20), { fractions: defaultFractions, seed }).parts.join();
  expect(order(1)).not.toBe(order(2));
});

describe('shares', () => {
  const count = (items: SplitItem[], fractions = defaultFractions) => {
    const { parts } = splitRecordings(items, { fractions, seed: 7 });
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
  const notesFor = (items: SplitItem[], fractions = defaultFractions) => splitRecordings(items, { fractions, seed: 0 });
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

describe('folds', () => {
  const split = (items: SplitItem[], folds = 5, validation = 0.2, seed = 3) =>
    splitRecordings(items, { fractions: { train: 0.8 - validation, validation, test: 0.2 }, seed, folds });

  test('hold whole recordists of a class, and differ in size by no more than the largest of them', () => {
    fc.assert(
      fc.property(collections, fc.integer({ min: 2, max: 4 }), fc.integer(), (items, count, seed) => {
        let result: ReturnType<typeof split>;
        try {
          result = split(items, count, 0, seed);
        } catch (error) {
          expect((error as Error).message).toMatch(/No class has recordings or recordists enough for \d folds/);
          return;
        }
        const { folds, byRecording, trainOnly } = result;
        for (const label of new Set(items.map((item) => item.label))) {
          const own = [...items.keys()].filter((i) => items[i]!.label === label);
          const groups = new Map<string, number[]>();
          for (const i of own) {
            const { recordist, recording } = items[i]!;
            const name = recordist && !byRecording.includes(label) ? `by ${recordist}` : recording;
            groups.set(name, [...(groups.get(name) ?? []), i]);
          }
          for (const group of groups.values()) expect(new Set(group.map((i) => folds[i])).size).toBe(1);
          expect(own.every((i) => folds[i] === undefined)).toBe(groups.size === 1);
          expect(trainOnly.includes(label)).toBe(groups.size === 1);
          const sizes = Array.from({ length: count }, (_, k) => own.filter((i) => folds[i] === k + 1).length);
          const largest = Math.max(...[...groups.values()].map((group) => group.length));
          if (groups.size > 1) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(largest);
        }
      }),
    );
  });

  test('test once each, with the next to validate', () => {
    const items = recordings('wren', 10);
    const { folds, parts, notes } = split(items);
    expect(notes).toEqual([]);
    const images = items.map(({ label }, i) => ({ label, split: 'train' as const, fold: folds[i] }));
    expect(partsOfFold(images, 1, true)).toEqual(parts);
    for (const fold of [1, 2, 3, 4, 5]) {
      const next = (fold % 5) + 1;
      const expected = folds.map((own): Part => (own === fold ? 'test' : own === next ? 'validation' : 'train'));
      expect(partsOfFold(images, fold, true)).toEqual(expected);
      expect(partsOfFold(images, fold, false)).toEqual(expected.map((part) => (part === 'test' ? part : 'train')));
    }
  });

  test('leave every class something to train on', () => {
    const items = [...recordings('wren', 2), ...recordings('robin', 3), ...recordings('junco', 1)];
    const { folds, notes } = split(items, 3);
    const images = items.map(({ label }, i) => ({ label, split: 'train' as const, fold: folds[i] }));
    for (const fold of [1, 2, 3]) {
      const parts = partsOfFold(images, fold, true);
      expect(new Set(items.filter((_, i) => parts[i] === 'train').map(({ label }) => label)).size).toBe(3);
    }
    expect(notes).toEqual([
      expect.stringMatching(/"junco" has a single recording/),
      expect.stringMatching(
        /"wren" has 2 recordings or recordists, fewer than the 3 folds: in 1 of them it is not tested/,
      ),
    ]);
  });

  test('more than can be filled are refused', () => {
    expect(() => split(recordings('wren', 3), 4)).toThrow('ask for 3 at most');
  });
});

describe('a recording with several classes', () => {
  /** Six recordings of two species, of which all gave background too. */
  const species = [...recordings('wren', 6), ...recordings('robin', 6)].map((item) => ({
    ...item,
    source: `${item.label}/${item.recording}.wav`,
  }));
  const items = [
    ...species,
    ...species.map((item) => ({ ...item, label: 'noise', recording: `${item.label}/${item.recording}` })),
  ];
  test.each([undefined, 3])('is in one part with all of them, and moves no other, folds: %s', (folds) => {
    const settings = { fractions: threeParts, seed: 5, folds };
    const both = splitRecordings(items, settings);
    const alone = splitRecordings(species, settings);
    const placeOf = ({ parts, folds: placed }: typeof both) => parts.map((part, i) => [part, placed[i]]);
    expect(placeOf(both).slice(0, 12)).toEqual(placeOf(alone));
    expect(placeOf(both).slice(12)).toEqual(placeOf(alone));
    expect(both.notes).toEqual([]);
  });

  const fractions = { train: 2 / 3, validation: 0, test: 1 / 3 };
  const of = (label: string, sources: readonly string[], recordist?: (source: string) => string): SplitItem[] =>
    sources.map((source) => ({ label, recording: source, source, recordist: recordist?.(source) }));

  test.each([1, 2, 3, 4])('counts where it is, and a recordist who is parted is named, seed %i', (seed) => {
    const byWhom = (source: string) => ({ a: 'Ada', b: 'Ada', c: 'Ben' })[source] ?? source;
    const wren = of('wren', ['a', 'b', 'c', 'd', 'e', 'f'], byWhom);
    const { parts, notes } = splitRecordings([...of('robin', ['a', 'b'], byWhom), ...wren], { fractions, seed });
    expect(parts.slice(2).filter((part) => part === 'test')).toHaveLength(2);
    expect(notes).toEqual([
      expect.stringMatching(/All 2 recordings of "robin" are by Ada/),
      expect.stringMatching(
        /The recordings of "wren" by Ada are parted, because .*better than they are. Another --seed/,
      ),
    ]);
  });

  /** Two classes, and a third with only those of their recordings that are wanted. */
  function third(
    isWanted: (i: number, split: ReturnType<typeof splitRecordings>) => boolean,
    each: number,
    folds?: number,
  ) {
    const names = (label: string) => Array.from({ length: each }, (_, i) => `${label} ${i}`);
    const rare = ['dove', 'robin'].flatMap((label) => of(label, names(label)));
    const settings = { fractions, seed: 1, folds };
    const split = splitRecordings(rare, settings);
    const sources = rare.flatMap(({ source }, i) => (isWanted(i, split) ? [source!] : []));
    return splitRecordings([...rare, ...of('wren', sources)], settings).notes;
  }

  test('may leave a class none to train on, or to test, which is said', () => {
    expect(third((i, { parts }) => parts[i] === 'test', 2)).toEqual([
      expect.stringMatching(
        /^None of "wren" is left to train on, so that it cannot be recognised; its recordings .*--seed/,
      ),
    ]);
    expect(third((i, { parts }) => parts[i] === 'train', 2)).toEqual([
      expect.stringMatching(/^None of "wren" is left to test, so that nothing can be said .*; its recordings .*--seed/),
    ]);
  });

  test.each([1, 2, 3, 4])('is rarer the fewer they are, however many pictures it gave, seed %i', (seed) => {
    const pictures = (label: string, ...sources: string[]): SplitItem[] =>
      sources.map((source) => ({ label, recording: source, source }));
    const items = [...pictures('wren', 'a', 'a', 'a'), ...pictures('robin', 'a', 'b')];
    const { parts, notes } = splitRecordings(items, { fractions, seed });
    expect(parts).toEqual(['train', 'train', 'train', 'train', 'test']);
    expect(notes).toEqual([expect.stringMatching(/"wren" has a single recording: it is kept for training/)]);
  });

  test('may leave a class out of folds, or in a single one, which is said', () => {
    expect(third((i, { folds }) => folds[i] === 1, 2, 2)).toEqual([
      expect.stringMatching(/^All of "wren" is in fold 1: when that tests, none of it is left to train on, .*--seed/),
    ]);
    expect(third((i, { folds }) => folds[i] === 1 || (i < 3 && folds[i] === 2), 3, 3)).toEqual([
      expect.stringMatching(/^"wren" is not tested in 1 of the 3 folds; its recordings .*--seed/),
    ]);
  });
});

test('a recordist is one person however the name is written', () => {
  const spellings = ['Zo\u00eb Ray', 'zoe\u0308 ray', ' ZO\u00cb RAY '];
  const items = recordings('wren', 9, (i) => spellings[i % 3]!);
  expect(splitRecordings(items, { fractions: defaultFractions, seed: 1 }).byRecording).toEqual(['wren']);
});
