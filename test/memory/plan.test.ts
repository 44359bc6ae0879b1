/** Plans of memory: no two requests at once in one buffer, and as few bytes as buffers by size classes would take, or fewer. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Plan, planOf, type Request, Watch } from '../../src/memory/plan.js';

const END = Number.POSITIVE_INFINITY;

it('puts a request where a larger one was before', () => {
  const plan = planOf([
    { bytes: 256, from: 0, until: 3 },
    { bytes: 1024, from: 1, until: 2 },
    { bytes: 512, from: 4, until: 6 },
    { bytes: 512, from: 5, until: END },
    { bytes: 768, from: 7, until: 8 },
  ]);
  expect(plan).toEqual({ requests: [256, 1024, 512, 512, 768], buffers: [1, 0, 0, undefined, 0], sizes: [1024, 256] });
});

const requests = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 30 })))
  .map((all) => all.map(([size, from, length]): Request => ({ bytes: 256 * size, from, until: from + length })));

it('never gives two the same buffer at once, nor one too small', () => {
  fc.assert(
    fc.property(requests, (all) => {
      const { buffers, sizes } = planOf(all);
      all.forEach((a, i) => {
        expect(sizes[buffers[i]!]).toBeGreaterThanOrEqual(a.bytes);
        all.slice(0, i).forEach((b, j) => {
          if (buffers[i] === buffers[j]) expect(a.until < b.from || b.until < a.from).toBe(true);
        });
      });
      const together = all.reduce((sum, { bytes }) => sum + bytes, 0);
      expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(together);
    }),
  );
});

it('is made from what was taken and given back', () => {
  const watch = new Watch();
  const [a, b, c] = [{}, {}, {}];
  watch.took(a, 256);
  watch.took(b, 512);
  watch.gave(a);
  watch.took(c, 256);
  watch.gave({}); // what was taken before the watch began
  watch.gave(c);
  expect(planOf(watch.requests)).toEqual<Plan>({
    requests: [256, 512, 256],
    buffers: [0, undefined, 0],
    sizes: [256],
  });
});
