/**
 * How two sets of points overlap: the common ground of precision and recall (precisionRecall.ts) and of density and coverage
 * (densityCoverage.ts). Around each point lies a ball that reaches to its k-th nearest neighbour in its own set, itself not
 * counted; the union of a set's balls stands for where its distribution is. A ball's surface belongs to it.
 */
import { kthSquared, type NeighbourSearch } from './neighbours.js';
import type { Points } from './points.js';

export interface Overlap {
  readonly k: number;
  /** For each generated point, how many balls of real points hold it. */
  readonly realBalls: Int32Array;
  /** For each real point, how many balls of generated points hold it. */
  readonly fakeBalls: Int32Array;
  /** For each real point, whether its own ball holds a generated point: 1 or 0. */
  readonly reached: Int32Array;
}

/** Throws a RangeError unless there are more than k points of each kind. */
export async function overlapOf(search: NeighbourSearch, real: Points, fake: Points, k: number): Promise<Overlap> {
  const realRadii = kthSquared(await search.nearest(real, real, { k, self: true }), k);
  const fakeRadii = kthSquared(await search.nearest(fake, fake, { k, self: true }), k);
  const nearestFake = await search.nearest(real, fake, { k: 1 });
  return {
    k,
    realBalls: await search.ballsHolding(fake, real, realRadii),
    fakeBalls: await search.ballsHolding(real, fake, fakeRadii),
    reached: Int32Array.from(nearestFake.squared, (squared, i) => (squared <= realRadii[i]! ? 1 : 0)),
  };
}
