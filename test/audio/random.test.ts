import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom } from '../../src/audio/random.js';

test('a saved state continues the stream exactly', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(50), (seed, skipped) => {
      const random = createRandom(seed, 'label');
      for (let i = 0; i < skipped; i++) random.normal();
      const copy = createRandom(0);
      copy.restore(JSON.parse(JSON.stringify(random.state())));
      for (let i = 0; i < 20; i++) expect(copy.next()).toBe(random.next());
    }),
  );
});

test('streams of neighbouring seeds and of different labels are unrelated', () => {
  const draws = [createRandom(1), createRandom(2), createRandom(1, 'a'), createRandom(1, 'b')].map((r) => r.next());
  expect(new Set(draws).size).toBe(4);
});

test('normal numbers have mean 0 and variance 1, integers are uniform', () => {
  const random = createRandom('moments');
  const normals = Array.from({ length: 20_000 }, () => random.normal());
  const mean = normals.reduce((sum, x) => sum + x, 0) / normals.length;
  const variance = normals.reduce((sum, x) => sum + (x - mean) ** 2, 0) / normals.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 10_000; i++) counts[random.integer(5)]!++;
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

test('shuffling keeps every item and leaves the original', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
      const before = [...items];
      const shuffled = createRandom(seed).shuffle(items);
      expect(items).toEqual(before);
      expect([...shuffled].sort()).toEqual([...items].sort());
    }),
  );
});
