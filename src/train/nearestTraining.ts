/**
 * The training images nearest to what was generated: is it copied? Nearness by features, which finds a song again wherever in
 * the window it lies, and by pixels, which finds plain copies; and a sheet to look at.
 */

import { createRandom } from '../audio/random.js';
import type { ImageSource } from '../data/store.js';
import type { Evaluation, Measure } from '../io/evaluation.js';
import { gridPng } from '../io/image.js';
import { shorten } from '../io/text.js';
import { bootstrap, quantile } from '../metrics/bootstrap.js';
import { measured } from '../metrics/compare.js';
import { chanceSmaller } from '../metrics/memorising.js';
import type { NeighbourSearch } from '../metrics/neighbours.js';
import type { Points } from '../metrics/points.js';
import { type Kind, type Kinds, ofClass } from './kinds.js';
import { pixelsOf } from './pixels.js';
import { toLevels } from './sample.js';

/** Training images shown beside a generated one. */
const SHOWN = 3;

/** Side to which images are brought for distances by pixels: it forgives what is finer, and bounds the work. */
const PIXELS = 32;

export interface NearestOptions {
  readonly classes: readonly string[];
  readonly search: NeighbourSearch;
  readonly seed: number;
}

export async function nearestTraining(
  kinds: Kinds,
  { classes, search, seed }: NearestOptions,
): Promise<{ neighbours: Evaluation['neighbours']; sheet: Buffer }> {
  const { train, heldOut, generated } = kinds;
  const k = Math.min(SHOWN, train.points.count);
  const byFeatures = await search.nearest(generated.points, train.points, { k });
  const first = byFeatures.squared.filter((_, i) => i % k === 0).map(Math.sqrt);
  const distancesTo = async (points: Points, reference: Points, scale: number): Promise<Float64Array> => {
    if (points.count === 0) return new Float64Array(0);
    return (await search.nearest(points, reference, { k: 1 })).squared.map((squared) => Math.sqrt(squared * scale));
  };
  const heldOutFeatures = await distancesTo(heldOut.points, train.points, 1);
  const pixels = {
    train: await pixelsOf(train.source, PIXELS),
    heldOut: await pixelsOf(heldOut.source, PIXELS),
    generated: await pixelsOf(generated.source, PIXELS),
  };
  const perPixel = 1 / pixels.train.dimensions;
  const byPixels = await distancesTo(pixels.generated, pixels.train, perPixel);
  const heldOutPixels = await distancesTo(pixels.heldOut, pixels.train, perPixel);
  const told = (own: Float64Array, others: Float64Array) => ({
    nearer: nearerThan(generated, own, heldOut, others, seed),
    generated: [...own],
    heldOut: [...others],
  });
  const sheet = await drawSheet({
    kinds,
    classes,
    distances: first,
    heldOutDistances: heldOutFeatures,
    indices: byFeatures.indices,
    k,
  });
  return { neighbours: { features: told(first, heldOutFeatures), pixels: told(byPixels, heldOutPixels) }, sheet };
}

/** The chance that a generated image is nearer to the training images than a held-out one is. */
function nearerThan(generated: Kind, own: Float64Array, heldOut: Kind, others: Float64Array, seed: number): Measure {
  if (others.length === 0) return { reason: 'there are no held-out images' };
  const pick = (values: Float64Array, drawn: Int32Array): Float64Array => Float64Array.from(drawn, (i) => values[i]!);
  const interval = bootstrap(
    [generated.units, heldOut.units],
    ([i, j]) => chanceSmaller(pick(own, i!), pick(others, j!)),
    { random: createRandom(seed, 'nearer') },
  );
  return measured(chanceSmaller(own, others), interval);
}

interface SheetOptions {
  readonly kinds: Kinds;
  readonly classes: readonly string[];
  /** Of each generated image to its nearest training image, and of each held-out one. */
  readonly distances: Float64Array;
  readonly heldOutDistances: Float64Array;
  /** The k nearest training images of each generated one [generated, k]. */
  readonly indices: Int32Array;
  readonly k: number;
}

/** Two rows a class: the generated image that is nearest to a training image, and the one in the middle. */
async function drawSheet(options: SheetOptions): Promise<Buffer> {
  const { kinds, classes, distances, heldOutDistances, indices, k } = options;
  const { train, generated } = kinds;
  const { size } = train.source;
  const white = new Uint8Array(size * size * 3).fill(255);
  const rows = classes.flatMap((label, number) => {
    const sorted = ofClass(generated, number).sort((i, j) => distances[i]! - distances[j]!);
    const nearest = sorted.slice(0, 1).map((i) => ({ i, name: shorten(label, LABEL) }));
    const middle = sorted.length > 2 ? [{ i: sorted[Math.floor(sorted.length / 2)]!, name: 'in the middle' }] : [];
    return [...nearest, ...middle];
  });
  const pictures = await Promise.all(
    rows.map(async ({ i }) => {
      const neighbours = Array.from(indices.subarray(i * k, (i + 1) * k), (j) => levelsOf(train.source, j));
      return [await levelsOf(generated.source, i), white, ...(await Promise.all(neighbours))];
    }),
  );
  const usual =
    heldOutDistances.length > 0
      ? ` (held-out images: ${quantile(heldOutDistances, 0.5).toFixed(2)} in the middle)`
      : '';
  return gridPng(pictures.flat(), {
    columns: k + 2,
    size,
    rowLabels: rows.map(({ i, name }) => `${name} ${distances[i]!.toFixed(2)}`),
    title: `generated | nearest training images${usual}`,
  });
}

/** Characters of a class's label on the sheet, so that the distance behind it stays. */
const LABEL = 22;

/** Levels of one image, for a sheet. */
async function levelsOf({ size, channels, read }: ImageSource, i: number): Promise<Uint8Array> {
  const image = new Float32Array(channels * size * size);
  await read(i, image);
  return toLevels(image, size, channels)[0]!;
}
