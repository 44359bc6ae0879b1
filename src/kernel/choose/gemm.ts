/** In what tiles, and in how many parts of the sum, a matrix product is computed. */
import { type Capabilities, distinct, type Plan } from '../choose.js';
import { packedTilings, packingPays, softwareTilings } from './software.js';
import { type GemmShape, LEAST_TERMS, type PackedShape, splitsFor, type Tiling } from './tiling.js';

export interface GemmPlan extends Plan, Tiling {
  /** Parts that the sum is cut into, for a second pass to add. */
  readonly splits: number;
}

/**
 * Plans that this device can run for this shape, the first being the one to take where nothing was measured: by rule the
 * smallest tile that holds the rows, and a sum cut so often that the device is busy.
 */
export function gemmCandidates(device: Capabilities, shape: GemmShape, packed?: PackedShape): readonly GemmPlan[] {
  const plans = plainCandidates(device, shape);
  if (!packed) return plans;
  const product = { ...shape, columns: packed.columns, terms: packed.steps };
  const packedPlans = packedTilings(device, shape, packed).map((tiling) =>
    planOf(tiling, splitsFor(device, product, tiling, 4)),
  );
  return packingPays(device, shape, packed) ? [...packedPlans, ...plans] : [...plans, ...packedPlans];
}

/** On operands as they are. Of the tile that the rule takes, half and twice the parts are candidates too. */
function plainCandidates(device: Capabilities, shape: GemmShape): readonly GemmPlan[] {
  const [first, ...others] = device.software ? softwareTilings(device, shape) : sharedTilings(shape);
  const splits = splitsFor(device, shape, first!);
  const cuts = [splits, 2 * splits, Math.ceil(splits / 2)].filter((n) => n === 1 || n * LEAST_TERMS <= shape.terms);
  return distinct([
    ...cuts.map((n) => planOf(first!, n)),
    ...others.map((tiling) => planOf(tiling, splitsFor(device, shape, tiling))),
  ]);
}

const sharedTilings = ({ sumContiguous }: GemmShape): Tiling[] => [
  { core: 'shared', constants: { B_ALONG_K: sumContiguous }, tile: [64, 64] },
];

const planOf = (tiling: Tiling, splits: number): GemmPlan => ({
  name: `${tiling.core} ${tiling.tile.join('x')}${splits > 1 ? ` in ${splits} parts` : ''}`,
  ...tiling,
  splits,
});
