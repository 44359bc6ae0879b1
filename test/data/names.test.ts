import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { safeNames } from '../../src/data/names.js';

test('any names become distinct names of files in one folder', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary' })), (names) => {
      const safe = [...safeNames(names, ['dataset.json']).values()];
      expect(new Set([...safe, 'dataset.json'].map((name) => name.toLowerCase())).size).toBe(names.length + 1);
      for (const name of safe) {
        expect(path.join('/base', name)).toBe(`/base/${name}`); // neither empty, nor . or .., nor with a slash
        expect(name).toMatch(/^[^.\s\0/\\:*?"<>|][^\0/\\:*?"<>|]*$/u);
        expect(Buffer.byteLength(name)).toBeLessThan(120);
      }
    }),
  );
});

test.each([
  ['Junco hyemalis', 'Junco hyemalis'],
  ['Grünfink (♂)', 'Grünfink (_)'],
  ['../../etc/passwd', '_.._etc_passwd'],
  ['..', '_'],
  ['', '_'],
  ['NUL.wav', '_NUL.wav'],
  ['a\0b\n', 'a_b_'],
])('%j becomes %j', (name, expected) => {
  expect(safeNames([name]).get(name)).toBe(expected);
});

test('names that fall together are numbered, whatever their case', () => {
  expect([...safeNames(['a/b', 'a:b', 'A_B', 'a_b-2', 'a/b']).values()]).toEqual(['a_b', 'a_b-2', 'A_B-3', 'a_b-2-2']);
});
