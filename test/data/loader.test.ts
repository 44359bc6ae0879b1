import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLoader } from '../../src/data/loader.js';
import { UserError } from '../../src/io/errors.js';

/** `count` images of 4 pixels; every pixel and the label of image i are i. */
const numbered = (count: number) => ({
  images: Float32Array.from({ length: 4 * count }, (_, p) => Math.floor(p / 4)),
  labels: Int32Array.from({ length: count }, (_, i) => i),
});
const sizes = fc.integer({ min: 1, max: 12 });

test('every pass shows each image once, and every batch is full', () => {
  fc.assert(
    fc.property(sizes, sizes, fc.integer(), (count, batch, seed) => {
      const loader = createLoader({ ...numbered(count), batch, seed });
      const drawn = Array.from({ length: 3 * count }, () => [...loader.next().labels]).flat();
      expect(drawn).toHaveLength(3 * count * batch);
      for (let first = 0; first < drawn.length; first += count) {
        expect(drawn.slice(first, first + count).sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
      }
    }),
  );
});

test('a restored loader draws what the first would have drawn', () => {
  fc.assert(
    fc.property(sizes, sizes, fc.integer(), fc.nat(20), (count, batch, seed, before) => {
      const first = createLoader({ ...numbered(count), batch, seed });
      for (let i = 0; i < before; i++) first.next();
      const second = createLoader({ ...numbered(count), batch, seed });
      second.restore(JSON.parse(JSON.stringify(first.state())));
      for (let i = 0; i < 5; i++) expect(second.next()).toEqual(first.next());
      expect(second.state()).toEqual(first.state());
    }),
  );
});

test('images stay with their labels', () => {
  const { images, labels } = createLoader({ ...numbered(20), batch: 8, seed: 1 }).next();
  expect(images).toEqual(Float32Array.from({ length: 32 }, (_, p) => labels[Math.floor(p / 4)]!));
});

test('the order depends on the seed and differs from pass to pass', () => {
  const draw = (seed: number, passes: number) => {
    const loader = createLoader({ ...numbered(30), batch: 30, seed });
    return Array.from({ length: passes }, () => loader.next().labels.join());
  };
  const [first, second] = draw(1, 2);
  expect(first).not.toBe(second);
  expect(draw(1, 1)[0]).toBe(first);
  expect(draw(2, 1)[0]).not.toBe(first);
});

test('batches are fresh arrays, which their user may keep', () => {
  const loader = createLoader({ ...numbered(4), batch: 2, seed: 0 });
  const kept = loader.next();
  const before = [...kept.labels];
  loader.next();
  expect([...kept.labels]).toEqual(before);
  expect(loader.batchesPerEpoch).toBe(2);
});

test('an empty part, a batch of 0, and a place in another data set are refused', () => {
  const empty = { images: new Float32Array(0), labels: new Int32Array(0) };
  expect(() => createLoader({ ...empty, batch: 2, seed: 0 })).toThrow(/no images to train on/);
  expect(() => createLoader({ ...numbered(4), batch: 0, seed: 0 })).toThrow(/batch size \(0\)/);
  const loader = createLoader({ ...numbered(4), batch: 2, seed: 0 });
  expect(() => loader.restore({ epoch: 1, position: 5 })).toThrow(UserError);
  expect(() => loader.restore({ epoch: 1, position: 5 })).toThrow(/image 5 of pass 1.*set of 4 images/);
});
