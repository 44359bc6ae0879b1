/** Convolutional block attention (Woo et al. 2018): a gate per channel, then a gate per pixel. x [N, C, H, W] -> the same shape. */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import type { ActivationAttrs } from '../ops/activation.js';
import { cbam } from '../ops/cbam.js';
import { BatchNorm, Conv2d, Linear } from './layers.js';
import { Layer } from './module.js';

export class CBAM extends Layer {
  private readonly mlp1: Linear;
  private readonly mlp2: Linear;
  private readonly spatial: Conv2d;
  private readonly spatialBn: BatchNorm;

  constructor(channels: number, reduction = 16) {
    super();
    const hidden = Math.max(1, Math.floor(channels / reduction));
    this.mlp1 = this.child('mlp1', new Linear(channels, hidden));
    this.mlp2 = this.child('mlp2', new Linear(hidden, channels));
    this.spatial = this.child('spatial', new Conv2d(2, 1, 7, { bias: false }));
    this.spatialBn = this.child('spatial_bn', new BatchNorm(1, { momentum: 0.01 }));
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return this.forwardInto(tape, x, undefined, {});
  }

  /** activation(cbam(x) + residual): with the end of a residual block, in no more dispatches. */
  forwardInto(tape: Tape, x: Tensor, residual: Tensor | undefined, activation: ActivationAttrs): Tensor {
    const { mlp1, mlp2, spatial, spatialBn: bn } = this;
    const parameters = [
      ...[mlp1.weight, mlp1.bias!, mlp2.weight, mlp2.bias!],
      ...[spatial.weight, bn.weight!, bn.bias!, bn.runningMean, bn.runningVar],
    ].map((parameter) => parameter.tensor);
    const attrs = { training: this.training, momentum: bn.momentum, ...activation };
    return tape.apply(cbam, [x, ...parameters, ...(residual ? [residual] : [])], attrs);
  }
}
