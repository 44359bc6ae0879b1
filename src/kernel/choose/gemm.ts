/** In what tiles, and in how many parts of the sum, a matrix product is computed. */
import { type Capabilities, distinct, type Plan } from '../choose.js';
import { hardwareCuts } from './hardware.js';
import { packedCuts, packingPays, softwareCuts } from './software.js';
import { type Cut, type GemmShape, LEAST_TERMS, type PackedShape, stripCuts, type Tiling } from './tiling.js';

export interface GemmPlan extends Plan, Tiling {
  /** Parts that the sum is cut into, for a second pass to add. */
  readonly splits: number;
}

/**
 * Plans that this device can run for this shape, the first being the one to take where nothing was measured: see tiling.ts for
 * products of few columns, software.ts and hardware.ts for all others. `most`: see Work in engine.ts.
 */
export function gemmCandidates(
  device: Capabilities,
  shape: GemmShape,
  packed?: PackedShape,
  most?: number,
): readonly GemmPlan[] {
  const plans = plainCandidates(device, shape, most);
  const strips = stripCuts(device, shape).map(planOf);
  if (strips.length > 0) return [...strips, ...plans];
  if (!packed) return plans;
  const packedPlans = packedCuts(device, shape, packed).map(planOf);
  return packingPays(device, shape, packed) ? [...packedPlans, ...plans] : [...plans, ...packedPlans];
}

/** On operands as they are. Of the tiling that the rule takes, half and twice the parts are candidates too. */
function plainCandidates(device: Capabilities, shape: GemmShape, most?: number): readonly GemmPlan[] {
  const [best, ...others] = device.software ? softwareCuts(device, shape) : hardwareCuts(device, shape, most);
  const [tiling, splits] = best!;
  const counts = [splits, 2 * splits, Math.ceil(splits / 2)].filter((n) => n === 1 || n * LEAST_TERMS <= shape.terms);
  return distinct([...counts.map((n): Cut => [tiling, n]), ...others].map(planOf));
}

const planOf = ([tiling, splits]: Cut): GemmPlan => ({
  name:
    `${tiling.core} ${tiling.tile.join('x')}` +
    (tiling.piece ? ` by ${tiling.piece.join('x')}` : '') +
    (splits > 1 ? ` in ${splits} parts` : ''),
  ...tiling,
  splits,
});
