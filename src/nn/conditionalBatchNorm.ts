/**
 * Batch norm whose scale and shift depend on each image's class (de Vries et al. 2017; in GANs since Miyato et al. 2018):
 *
 *   y = activation(gain[label, c] xhat[n, c] + bias[label, c]),   xhat = x normalised per channel
 *
 * A class's row of `embed.weight` [classes, 2 features] holds its gains, then its biases; statistics are those of `bn`, which
 * has no weights of its own: `embed` and `bn` as most PyTorch modules of this kind name them.
 */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import type { ActivationAttrs } from '../ops/activation.js';
import { modulate } from '../ops/modulate.js';
import { BatchNorm, Embedding } from './layers.js';
import { Module } from './module.js';

export class ConditionalBatchNorm extends Module {
  private readonly bn: BatchNorm;
  private readonly embed: Embedding;

  constructor(
    features: number,
    classes: number,
    private readonly activation: ActivationAttrs = {},
  ) {
    super();
    this.bn = this.child('bn', new BatchNorm(features, { affine: false }));
    const values = Array.from({ length: 2 * features }, (_, i) => (i < features ? 1 : 0));
    this.embed = this.child('embed', new Embedding(classes, 2 * features, { kind: 'rows', values }));
  }

  /** x [N, features, ...] of images of the classes `labels` [N] (i32) -> the same shape. */
  forward(tape: Tape, x: Tensor, labels: Tensor): Tensor {
    const factors = this.embed.forward(tape, labels);
    return tape.apply(modulate, [this.bn.forward(tape, x), factors], this.activation);
  }
}
