/** Points that expected.py draws too, and what numpy and scipy say of them. */
import { readFileSync } from 'node:fs';
import { type Points, toPoints } from '../../src/metrics/points.js';
import { normal } from '../../src/reference/random.js';

type Pair = readonly [number, number];

export interface ExpectedCase {
  readonly name: string;
  readonly seed: number;
  readonly streams: Pair;
  readonly counts: Pair;
  readonly dimensions: number;
  readonly k: number;
  readonly decay: number;
  readonly shift: number;
  readonly expected: Readonly<Record<'frechet' | 'kernel' | 'precision' | 'recall' | 'density' | 'coverage', number>>;
}

export const { cases } = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8')) as {
  cases: readonly ExpectedCase[];
};

/** Normal points, dimension j scaled by decay^j, then moved by shift. */
export function drawn(seed: number, stream: number, count: number, dimensions: number, decay = 1, shift = 0): Points {
  const values = normal(seed, stream, count * dimensions);
  return toPoints(
    values.map((value, i) => value * decay ** (i % dimensions) + shift),
    dimensions,
  );
}

/** The case's real and generated points. */
export function pointsOf({ seed, streams, counts, dimensions, decay, shift }: ExpectedCase): [Points, Points] {
  return [drawn(seed, streams[0], counts[0], dimensions), drawn(seed, streams[1], counts[1], dimensions, decay, shift)];
}
