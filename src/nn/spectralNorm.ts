/**
 * Spectral normalisation (Miyato et al. 2018): a layer with its weight divided by its largest singular value, which one
 * power iteration per training-mode call follows in the buffers u and v.
 */
import type { Tape } from '../autograd/tape.js';
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

  forward(tape: Tape, x: Tensor): Tensor {
    const weight = tape.apply(spectralNorm, [this.layer.weight.tensor, this.u.tensor, this.v.tensor], {
      iterations: this.training ? 1 : 0,
      eps: 1e-12,
    });
    return this.layer.forwardWith(tape, x, weight);
  }
}
