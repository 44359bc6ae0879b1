/** Nearest neighbours: against plain sorting, and on the GPU against the CPU, over several blocks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { gpuSearch } from '../../src/metrics/gpuNeighbours.js';
import { cpuSearch, kthSquared, squaredDistance } from '../../src/metrics/neighbours.js';
import { pointAt, toPoints } from '../../src/metrics/points.js';
import { drawn } from './fixtures.js';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu?.close());

describe('on the CPU', () => {
  it('they are the first of all points, sorted by distance', async () => {
    const [queries, points] = [drawn(1, 0, 6, 3), drawn(1, 1, 40, 3)];
    const { squared, indices } = await cpuSearch.nearest(queries, points, { k: 4 });
    for (let q = 0; q < 6; q++) {
      const sorted = Array.from({ length: 40 }, (_, i) => ({
        i,
        d: squaredDistance(pointAt(queries, q), pointAt(points, i)),
      })).sort((a, b) => a.d - b.d);
      expect([...indices.subarray(4 * q, 4 * q + 4)]).toEqual(sorted.slice(0, 4).map(({ i }) => i));
      expect([...squared.subarray(4 * q, 4 * q + 4)]).toEqual(sorted.slice(0, 4).map(({ d }) => d));
    }
  });

  it('of equally near points the first comes first, and none is its own neighbour', async () => {
    const line = toPoints([0, 1, 2, 1], 1);
    const { indices } = await cpuSearch.nearest(line, line, { k: 3, self: true });
    expect([...indices]).toEqual([1, 3, 2, 3, 0, 2, 1, 3, 0, 1, 0, 2]);
    const found = await cpuSearch.nearest(line, line, { k: 1 });
    expect([...found.indices]).toEqual([0, 1, 2, 1]);
  });

  it('a ball holds what lies on its surface', async () => {
    const counts = await cpuSearch.ballsHolding(toPoints([0, 3], 1), toPoints([1, 2, 9], 1), Float64Array.of(1, 4, 1));
    expect([...counts]).toEqual([2, 1]);
  });
});

// Off by one block's end and by less than a workgroup.
it('on the GPU they are those of the CPU, whatever the number of blocks', async () => {
  const search = gpuSearch(new Engine(gpu));
  const [queries, points] = [drawn(2, 0, 4097, 3, 1, 100), drawn(2, 1, 1030, 3, 0.9, 100)];
  const [cpu, onGpu] = await Promise.all([
    cpuSearch.nearest(queries, points, { k: 3 }),
    search.nearest(queries, points, { k: 3 }),
  ]);
  const differing = cpu.indices.filter((index, i) => index !== onGpu.indices[i]).length;
  expect(differing).toBeLessThan(10);
  for (const [i, value] of cpu.squared.entries()) expect(Math.abs(onGpu.squared[i]! - value)).toBeLessThan(1e-5);

  const radii = kthSquared(await search.nearest(points, points, { k: 2, self: true }), 2);
  const exact = kthSquared(await cpuSearch.nearest(points, points, { k: 2, self: true }), 2);
  for (const [i, radius] of exact.entries()) expect(Math.abs(radii[i]! - radius)).toBeLessThan(1e-5);
  // Half way between distances that occur, so that rounding decides nothing.
  const between = exact.map((radius) => radius + 1e-4);
  const counts = [
    await cpuSearch.ballsHolding(queries, points, between),
    await search.ballsHolding(queries, points, between),
  ] as const;
  const sums = counts.map((each) => each.reduce((sum, n) => sum + n, 0));
  expect(sums[0]).toBeGreaterThan(1000);
  expect(counts[0].filter((n, i) => n !== counts[1][i]).length).toBeLessThan(10);
});

it('says what there is too little of', async () => {
  const points = drawn(1, 0, 3, 2);
  for (const search of [cpuSearch, gpuSearch(new Engine(gpu))]) {
    await expect(search.nearest(points, points, { k: 3, self: true })).rejects.toThrow(
      '3 nearest neighbours were asked for, but there are only 2',
    );
    await expect(search.nearest(points, drawn(1, 0, 3, 3), { k: 1 })).rejects.toThrow(/vectors of 2 and of 3/);
  }
});
