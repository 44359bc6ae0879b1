/** Precision, recall, density and coverage: against numpy's, on the GPU too, and of points that are all alike. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { coverage, density } from '../../src/metrics/densityCoverage.js';
import { gpuSearch } from '../../src/metrics/gpuNeighbours.js';
import { cpuSearch, type NeighbourSearch } from '../../src/metrics/neighbours.js';
import { overlapOf } from '../../src/metrics/overlap.js';
import { type Points, subset, toPoints } from '../../src/metrics/points.js';
import { precision, recall } from '../../src/metrics/precisionRecall.js';
import { cases, drawn, pointsOf } from './fixtures.js';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu?.close());

const mean = (values: Float64Array): number => values.reduce((sum, v) => sum + v, 0) / values.length;

async function measured(search: NeighbourSearch, real: Points, fake: Points, k: number) {
  const overlap = await overlapOf(search, real, fake, k);
  return {
    precision: mean(precision(overlap)),
    recall: mean(recall(overlap)),
    density: mean(density(overlap)),
    coverage: mean(coverage(overlap)),
  };
}

describe.each([
  ['the CPU', () => cpuSearch],
  ['the GPU', () => gpuSearch(new Engine(gpu))],
])('on %s', (_where, search) => {
  it.each(cases)('they are those of numpy: $name', async (test) => {
    const [real, fake] = pointsOf(test);
    const values = await measured(search(), real, fake, test.k);
    for (const [name, value] of Object.entries(values)) {
      expect(value, name).toBeCloseTo(test.expected[name as keyof typeof values], 10);
    }
  });
});

it('two halves of identical points overlap wholly; points elsewhere not at all', async () => {
  const same = toPoints(new Float64Array(24).fill(3), 4);
  const elsewhere = toPoints(new Float64Array(24).fill(5), 4);
  expect(await measured(cpuSearch, same, same, 2)).toEqual({ precision: 1, recall: 1, density: 3, coverage: 1 });
  expect(await measured(cpuSearch, same, elsewhere, 2)).toEqual({ precision: 0, recall: 0, density: 0, coverage: 0 });
});

it('a generator that repeats one real image is precise and covers little', async () => {
  const real = drawn(11, 0, 200, 8);
  const copies = subset(real, new Int32Array(200).fill(17));
  const values = await measured(cpuSearch, real, copies, 5);
  expect(values.precision).toBe(1);
  expect(values.recall).toBe(1 / 200);
  expect(values.coverage).toBeLessThan(0.15);
});

it('needs more points than k', async () => {
  const few = drawn(1, 0, 5, 2);
  await expect(overlapOf(cpuSearch, few, drawn(1, 1, 9, 2), 5)).rejects.toThrow(
    '5 nearest neighbours were asked for, but there are only 4',
  );
});
