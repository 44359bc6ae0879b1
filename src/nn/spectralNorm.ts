/**
 * Spectral normalisation (Miyato et al. 2018): a layer with its weight divided by its largest singular value, which one
 * power iteration per training-mode call follows in the buffers u and v.
 */
import { Tape } from '../autograd/tape.js';
import type { Engine } from '../kernel/engine.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { spectralNorm } from '../ops/spectralNorm.js';
import type { Weighted } from './layers.js';
import { Layer, type Parameter } from './module.js';

export class SpectralNorm extends Layer {
  private readonly u: Parameter;
  private readonly v: Parameter;

  constructor(private readonly layer: Weighted) {
    super();
    const { shape } = layer.weight;
    this.u = this.buffer('u', [shape[0]!], { kind: 'unit' });
    this.v = this.buffer('v', [sizeOf(shape.slice(1))], { kind: 'unit' });
    this.child('layer', layer);
  }

  /** What the norm is computed from: the weight, u and v. */
  get operands(): readonly [Tensor, Tensor, Tensor] {
    return [this.layer.weight.tensor, this.u.tensor, this.v.tensor];
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const [weight] = normalizedWeights(tape, [this]);
    return this.forwardWith(tape, x, weight!);
  }

  /** Forward with a weight that is normalised already. */
  forwardWith(tape: Tape, x: Tensor, weight: Tensor): Tensor {
    return this.layer.forwardWith(tape, x, weight);
  }
}

/**
 * The normalised weights of layers of one network, for `forwardWith`: all in as many dispatches as one of them takes.
 * `iterations`: power iterations before, by default one in training and none in evaluation.
 */
export function normalizedWeights(
  tape: Tape,
  layers: readonly SpectralNorm[],
  iterations = layers.some((layer) => layer.training) ? 1 : 0,
): Tensor[] {
  return tape.applyEach(
    spectralNorm,
    layers.map((layer) => layer.operands),
    { iterations, eps: 1e-12, dtype: tape.dtype },
  );
}

/** Moves u and v of a network's layers by power iterations, weights as they are: before training, so that it begins normalised. */
export function iteratePowers(e: Engine, layers: readonly SpectralNorm[], iterations: number): void {
  e.scope(() => {
    normalizedWeights(new Tape(e), layers, iterations);
    return null;
  });
}

/** The norm of each layer's weight, by u and v as they are; they stay so. */
export async function spectralNorms(
  e: Engine,
  layers: Readonly<Record<string, SpectralNorm>>,
): Promise<Record<string, number>> {
  const all = Object.values(layers);
  const kept = e.scope(() => {
    const found = spectralNorm.forwardEach!(
      e,
      all.map((layer) => layer.operands),
      { iterations: 0 },
    );
    // What is kept for the way back ends with the norm.
    return found.map((layer) => layer.kept!);
  });
  const norms: Record<string, number> = {};
  for (const [i, name] of Object.keys(layers).entries()) norms[name] = (await e.read(kept[i]!)).at(-1)!;
  for (const storage of new Map(kept.map((tensor) => [tensor.storage, tensor])).values()) e.release(storage);
  return norms;
}
