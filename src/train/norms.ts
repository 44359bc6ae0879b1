/** Sizes of what trains: norms of weights and gradients, and what spectral normalisation divides by. */
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { spectralNorms } from '../nn/spectralNorm.js';
import { sumOfSquares } from '../ops/dot.js';
import type { LossScale } from '../optim/lossScale.js';
import type { Gan } from './ganStep.js';

export interface Norms {
  /** Euclidean, over all parameters of a network. */
  readonly weightNormG: number;
  readonly weightNormD: number;
  /** Of the last step; not known where a loss scale has just changed. */
  readonly gradientNormG: number | undefined;
  readonly gradientNormD: number | undefined;
  /** The largest singular value of each normalised layer's weight, as its power iteration knows it. */
  readonly sigma: Readonly<Record<string, number>>;
}

/** To be asked between steps: it waits for the GPU. */
export async function normsOf(e: Engine, { g, d, lossScaleG, lossScaleD }: Gan): Promise<Norms> {
  return {
    weightNormG: await norm(e, g.values),
    weightNormD: await norm(e, d.values),
    gradientNormG: await gradientNorm(e, g.gradients, lossScaleG),
    gradientNormD: await gradientNorm(e, d.gradients, lossScaleD),
    sigma: await spectralNorms(e, d.module.normalized),
  };
}

async function norm(e: Engine, values: Tensor): Promise<number> {
  const parts = e.scope(() => sumOfSquares(e, values));
  const sum = (await e.read(parts)).reduce((total, part) => total + part, 0);
  e.release(parts);
  return Math.sqrt(sum);
}

async function gradientNorm(e: Engine, gradients: Tensor, lossScale: LossScale | undefined) {
  const scaled = await norm(e, gradients);
  if (!lossScale) return scaled;
  const [scale, unchanged] = await e.read(lossScale.state);
  // A scale that has just changed is not the one that these gradients were multiplied by.
  return unchanged! > 0 ? scaled / scale! : undefined;
}
