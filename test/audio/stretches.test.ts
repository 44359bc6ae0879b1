import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BACKGROUND_REACH } from '../../src/audio/events.js';
import { cutStretches, type Stretch } from '../../src/audio/stretches.js';

async function* blocksOf(samples: Float32Array, lengths: readonly number[]) {
  let at = 0;
  for (let i = 0; at < samples.length; i++) {
    const end = at + lengths[i % lengths.length]!;
    yield samples.slice(at, end);
    at = end;
  }
}

async function stretchesOf(length: number, blocks: readonly number[], options: { window: number; step: number }) {
  const samples = Float32Array.from({ length }, (_, i) => i);
  const stretches: Stretch[] = [];
  for await (const stretch of cutStretches(blocksOf(samples, blocks), { sampleRate: 10, ...options })) {
    stretches.push(stretch);
  }
  return stretches;
}

test('stretches follow on each other, and each holds every window that begins in it, with 15 s after it', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 });
  const numbers = fc.integer({ min: 1, max: 30 });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 600 }),
      lengths,
      numbers,
      numbers,
      async (length, blocks, window, step) => {
        const stretches = await stretchesOf(length, blocks, { window: window / 10, step });
        let next = 0;
        for (const [i, { samples, first, until }] of stretches.entries()) {
          const isLast = i === stretches.length - 1;
          expect(first).toBe(next);
          expect(samples).toEqual(Float32Array.from(samples, (_, k) => first + k));
          expect(until).toBe(isLast ? Number.POSITIVE_INFINITY : first + step);
          const overlap = window + 10 * BACKGROUND_REACH;
          if (!isLast) expect(samples.length).toBe(step + overlap);
          else expect(first + samples.length).toBe(length);
          if (isLast && i > 0) expect(samples.length).toBeGreaterThanOrEqual(overlap);
          next = until;
        }
      },
    ),
  );
});

test('a short recording is one stretch, an empty one too', async () => {
  expect(await stretchesOf(15, [4], { window: 2, step: 100 })).toMatchObject([
    { first: 0, until: Number.POSITIVE_INFINITY },
  ]);
  expect((await stretchesOf(0, [4], { window: 2, step: 100 })).map(({ samples }) => samples.length)).toEqual([0]);
});
