/** Convolutional block attention (Woo et al. 2018): a gate per channel, then a gate per pixel. x [N, C, H, W] -> the same shape. */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { channelGate, channelPool, globalPool, spatialGate } from '../ops/cbam.js';
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
    this.mlp1 = this.child('mlp1', new Linear(channels, hidden, { activation: 'relu' }));
    this.mlp2 = this.child('mlp2', new Linear(hidden, channels));
    this.spatial = this.child('spatial', new Conv2d(2, 1, 7, { padding: 3, bias: false }));
    this.spatialBn = this.child('spatial_bn', new BatchNorm(1, { momentum: 0.01 }));
  }

  forward(tape: Tape, x: Tensor): Tensor {
    // Means and maxima of all channels go through the shared MLP as one batch of 2 N rows.
    const pooled = tape.apply(globalPool, [x], {});
    const logits = this.mlp2.forward(tape, this.mlp1.forward(tape, pooled));
    const gated = tape.apply(channelGate, [x, logits], {});
    const extremes = tape.apply(channelPool, [gated], {});
    const attention = this.spatialBn.forward(tape, this.spatial.forward(tape, extremes));
    return tape.apply(spatialGate, [gated, attention], {});
  }
}
