import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLoader, inOrder } from '../../src/data/loader.js';
import { type ImageSource, sourceOf } from '../../src/data/store.js';
import { UserError } from '../../src/io/errors.js';

/** `count` images of 4 pixels; every pixel and the label of image i are i. */
const numbered = (count: number): ImageSource =>
  sourceOf(
    Float32Array.from({ length: 4 * count }, (_, p) => Math.floor(p / 4)),
    Int32Array.from({ length: count }, (_, i) => i),
    2,
  );
/** The same with images that take a while, the longer the lower their number. */
const slow = (count: number): ImageSource => {
  const fast = numbered(count);
  const delay = (i: number) => new Promise((resolve) => setTimeout(resolve, (count - i) / 4));
  return { ...fast, read: (i, to) => delay(i).then(() => fast.read(i, to)) };
};
const sizes = fc.integer({ min: 1, max: 12 });

test('every pass shows each image once, and every batch is full', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, sizes, fc.integer(), async (count, batch, seed) => {
      const loader = createLoader({ source: numbered(count), batch, seed });
      const drawn: number[] = [];
      for (let step = 0; step < 3 * count; step++) drawn.push(...(await loader.batch(step)).labels);
      expect(drawn).toHaveLength(3 * count * batch);
      for (let first = 0; first < drawn.length; first += count) {
        expect(drawn.slice(first, first + count).sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
      }
    }),
    { numRuns: 30 },
  );
});

test('any step gives the batch that it would have given after all those before it', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, sizes, fc.integer(), fc.nat(20), fc.boolean(), async (count, batch, seed, at, balanced) => {
      const options = { source: numbered(count), batch, seed, balanced };
      const [first, second] = [createLoader(options), createLoader(options)];
      for (let step = 0; step < at; step++) await first.batch(step);
      for (let step = at; step < at + 5; step++) expect(await second.batch(step)).toEqual(await first.batch(step));
    }),
    { numRuns: 50 },
  );
});

test('images stay with their labels, also where decoding them takes different times', async () => {
  const loader = createLoader({ source: slow(20), batch: 8, seed: 1 });
  const fast = createLoader({ source: numbered(20), batch: 8, seed: 1 });
  for (let step = 0; step < 4; step++) {
    const { images, labels } = await loader.batch(step);
    expect(images).toEqual(Float32Array.from({ length: 32 }, (_, p) => labels[Math.floor(p / 4)]!));
    expect(labels).toEqual((await fast.batch(step)).labels);
  }
});

test('the order depends on the seed and differs from pass to pass', async () => {
  const draw = async (seed: number, step: number) =>
    (await createLoader({ source: numbered(30), batch: 30, seed }).batch(step)).labels.join();
  const first = await draw(1, 0);
  expect(await draw(1, 1)).not.toBe(first);
  expect(await draw(1, 0)).toBe(first);
  expect(await draw(2, 0)).not.toBe(first);
});

test('balanced draws show rare classes as often as common ones, and each of their images in turn', async () => {
  const labels = Int32Array.of(0, 0, 0, 0, 0, 0, 0, 2, 2, 5); // 7, 2 and 1 images
  const source = sourceOf(
    Float32Array.from(labels, (_, i) => i),
    labels,
    1,
  );
  const loader = createLoader({ source, batch: 6, seed: 3, balanced: true });
  const shown = new Array<number>(10).fill(0);
  for (let step = 0; step < 7; step++) {
    const batch = await loader.batch(step);
    expect([...batch.labels].sort()).toEqual([0, 0, 2, 2, 5, 5]);
    for (const image of batch.images) shown[image]!++;
  }
  expect(shown).toEqual([2, 2, 2, 2, 2, 2, 2, 7, 7, 14]);
});

test('what augments is told step and place, and changes the batch alone', async () => {
  const source = numbered(3);
  const augment = (image: Float32Array, step: number, k: number) => void image.fill(100 * step + k);
  const loader = createLoader({ source, batch: 2, seed: 0, augment });
  await loader.batch(0);
  expect([...(await loader.batch(1)).images]).toEqual([100, 100, 100, 100, 101, 101, 101, 101]);
  const untouched = new Float32Array(4);
  await source.read(2, untouched);
  expect([...untouched]).toEqual([2, 2, 2, 2]);
});

test('the next batches are decoded while a step runs, and no step waits for them', async () => {
  const read: number[] = [];
  const source = numbered(8);
  const watched: ImageSource = {
    ...source,
    read: (i, to) => {
      read.push(i);
      return source.read(i, to);
    },
  };
  const loader = createLoader({ source: watched, batch: 2, seed: 0, ahead: 3 });
  await loader.batch(0);
  expect(read).toHaveLength(2);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(read).toHaveLength(8);
  await loader.batch(1);
  expect(read).toHaveLength(8);
});

test('waiting is counted', async () => {
  const loader = createLoader({ source: slow(8), batch: 8, seed: 0 });
  expect(loader.waited()).toBe(0);
  await loader.batch(0);
  expect(loader.waited()).toBeGreaterThan(0);
});

test('batches are fresh arrays, which their user may keep', async () => {
  const loader = createLoader({ source: numbered(4), batch: 2, seed: 0 });
  const kept = await loader.batch(0);
  const before = [...kept.labels];
  await loader.batch(1);
  expect([...kept.labels]).toEqual(before);
  expect(loader.batchesPerEpoch).toBe(2);
});

test('an image that can no longer be read is an error of the step that needs it', async () => {
  const source = numbered(4);
  const broken: ImageSource = { ...source, read: () => Promise.reject(new UserError('gone')) };
  const loader = createLoader({ source: broken, batch: 2, seed: 0 });
  await expect(loader.batch(0)).rejects.toThrow('gone');
});

test('all images in their order, batch by batch', async () => {
  const labels: number[][] = [];
  for await (const batch of inOrder(slow(5), 2)) {
    labels.push([...batch.labels]);
    expect(batch.images[0]).toBe(batch.labels[0]);
  }
  expect(labels).toEqual([[0, 1], [2, 3], [4]]);
  for await (const _ of inOrder(numbered(0), 2)) expect.unreachable();
});

test('an empty part and a batch of 0 are refused', () => {
  expect(() => createLoader({ source: numbered(0), batch: 2, seed: 0 })).toThrow(/no images to train on/);
  expect(() => createLoader({ source: numbered(4), batch: 0, seed: 0 })).toThrow(/batch size \(0\)/);
});
