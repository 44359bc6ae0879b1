/** All the numbers of one set of feature vectors against another, with their intervals; where there are too few, why not. */
import { createRandom } from '../audio/random.js';
import type { Comparison, Measure } from '../io/evaluation.js';
import { bootstrap, bootstrapMean, choose, countsOf, type Interval, type Units } from './bootstrap.js';
import { coverage, density } from './densityCoverage.js';
import { frechetDistance } from './frechet.js';
import { discrepancy, kernelDistance, kernels } from './kid.js';
import type { NeighbourSearch } from './neighbours.js';
import { overlapOf } from './overlap.js';
import { type Points, subset } from './points.js';
import { precision, recall } from './precisionRecall.js';

/** Vectors, and which of them belong together (see bootstrap.ts). */
export interface Sample {
  readonly points: Points;
  readonly units: Units;
}

export interface CompareOptions {
  readonly k: number;
  readonly seed: number;
  /** Whether each number has an interval, which takes most of the time. Default true. */
  readonly intervals?: boolean;
}

/** Draws for the distances, which take longer than means. */
const REPLICATES = 200;

/** Points of each kind that intervals of distances rest on: of more, that many are chosen, so the interval is too wide then. */
const MOST = 1000;

/** How well `compared` fits `reference`. */
export async function compare(
  search: NeighbourSearch,
  reference: Sample,
  compared: Sample,
  options: CompareOptions,
): Promise<Comparison> {
  return {
    reference: reference.points.count,
    compared: compared.points.count,
    ...distances(reference, compared, options),
    ...(await overlaps(search, reference, compared, options)),
  };
}

/** Why there is no number, unless there are more than `few` points of each kind. */
function lacking(a: Sample, b: Sample, few: number): { reason: string } | undefined {
  const [m, n] = [a.points.count, b.points.count];
  if (Math.min(m, n) > few) return undefined;
  return { reason: `takes ${few + 1} images or more of each kind, and there are ${m} and ${n}` };
}

function distances(
  a: Sample,
  b: Sample,
  { seed, intervals = true }: CompareOptions,
): Pick<Comparison, 'frechet' | 'kernel'> {
  const none = lacking(a, b, 1);
  if (none) return { frechet: none, kernel: none };
  const frechet = frechetDistance(a.points, b.points);
  const kernel = kernelDistance(a.points, b.points, { subsets: 20, random: createRandom(seed, 'subsets') });
  if (!intervals) return { frechet: { value: frechet }, kernel: { value: kernel } };
  const [x, y] = [atMost(a, seed), atMost(b, seed)];
  const known = kernels(x.points, y.points);
  const units = [x.units, y.units];
  const frechetInterval = bootstrap(units, ([i, j]) => frechetDistance(subset(x.points, i!), subset(y.points, j!)), {
    random: createRandom(seed, 'frechet'),
    replicates: REPLICATES,
    centre: frechet,
  });
  const kernelInterval = bootstrap(
    units,
    ([i, j]) => discrepancy(known, countsOf(i!, x.points.count), countsOf(j!, y.points.count)),
    { random: createRandom(seed, 'kernel'), replicates: REPLICATES, centre: kernel },
  );
  return {
    frechet: measured(frechet, frechetInterval && [Math.max(0, frechetInterval[0]), frechetInterval[1]]),
    kernel: measured(kernel, kernelInterval),
  };
}

function atMost({ points, units }: Sample, seed: number): Sample {
  const chosen = choose(points.count, MOST, createRandom(seed, 'chosen'));
  return { points: subset(points, chosen), units: chosen.map((i) => units[i]!) };
}

async function overlaps(
  search: NeighbourSearch,
  reference: Sample,
  compared: Sample,
  { k, seed }: CompareOptions,
): Promise<Pick<Comparison, 'precision' | 'recall' | 'density' | 'coverage'>> {
  const none = lacking(reference, compared, k);
  if (none) return { precision: none, recall: none, density: none, coverage: none };
  const overlap = await overlapOf(search, reference.points, compared.points, k);
  return {
    precision: measureMean(precision(overlap), compared.units, seed),
    recall: measureMean(recall(overlap), reference.units, seed),
    density: measureMean(density(overlap), compared.units, seed),
    coverage: measureMean(coverage(overlap), reference.units, seed),
  };
}

/** The mean of values, of which those of one unit belong together. */
export function measureMean(values: Float64Array, units: Units, seed: number): Measure {
  if (values.length === 0) return { reason: 'there are no images' };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return measured(mean, bootstrapMean(values, units, { random: createRandom(seed, 'mean') }));
}

export const measured = (value: number, interval: Interval | undefined): Measure =>
  interval ? { value, interval } : { value };
