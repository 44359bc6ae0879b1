/**
 * Dynamic convolution decomposition (Li et al. 2021), in the feature form that its authors trained:
 *
 *   y = s(x) * conv(x; W0) + P (I + BN . Phi(x)) BN(Q x)
 *
 * s(x) [N, outChannels] and Phi(x) [N, latent, latent] come from a small branch on the pooled input.
 */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { scaledHardSigmoid } from '../ops/activations.js';
import { add, mul } from '../ops/elementwise.js';
import { matmul } from '../ops/matmul.js';
import { adaptiveAvgPool2d } from '../ops/pooling.js';
import { reshape } from '../ops/shape.js';
import { BatchNorm, Conv2d, Linear } from './layers.js';
import { Layer } from './module.js';

export interface DynamicConv2dOptions {
  readonly stride?: number;
  readonly padding?: number;
  /** Width of the latent space. Default floor(sqrt(pooled width)). */
  readonly latent?: number;
  /** Width of the branch. Default max(pooled width, latent^2) / 16, at least 4. */
  readonly squeeze?: number;
  /** Side of the adaptive average pool that feeds the branch. Default 2. */
  readonly pool?: number;
}

export class DynamicConv2d extends Layer {
  private readonly latent: number;
  private readonly pool: number;
  private readonly conv: Conv2d;
  private readonly q: Conv2d;
  private readonly p: Conv2d;
  private readonly bnQ: BatchNorm;
  private readonly bnPhi: BatchNorm;
  private readonly squeeze: Linear;
  private readonly gate: Linear;
  private readonly phi: Linear;
  private readonly scale: Linear;

  constructor(inChannels: number, outChannels: number, kernel: number, options: DynamicConv2dOptions = {}) {
    super();
    const { stride = 1, padding = 0, pool = 2 } = options;
    const pooled = inChannels * pool * pool;
    this.pool = pool;
    this.latent = options.latent ?? Math.floor(Math.sqrt(pooled));
    const squeeze = options.squeeze ?? Math.max(Math.floor(Math.max(pooled, this.latent ** 2) / 16), 4);
    this.conv = this.child('conv', new Conv2d(inChannels, outChannels, kernel, { stride, padding, bias: false }));
    this.q = this.child('q', new Conv2d(inChannels, this.latent, 1, { stride, bias: false }));
    this.p = this.child('p', new Conv2d(this.latent, outChannels, 1, { bias: false }));
    this.bnQ = this.child('bn_q', new BatchNorm(this.latent));
    this.bnPhi = this.child('bn_phi', new BatchNorm(this.latent));
    this.squeeze = this.child('squeeze', new Linear(pooled, squeeze, { bias: false }));
    this.gate = this.child('gate', new Linear(squeeze, squeeze, { bias: false, activation: 'scaled_hard_sigmoid' }));
    this.phi = this.child('phi', new Linear(squeeze, this.latent ** 2, { bias: false }));
    this.scale = this.child('scale', new Linear(squeeze, outChannels, { bias: false }));
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const [n, c] = x.shape as [number, number];
    const { latent, pool } = this;
    const pooled = tape.apply(adaptiveAvgPool2d, [x], { outputSize: [pool, pool] });
    const squeezed = this.squeeze.forward(tape, tape.apply(reshape, [pooled], { shape: [n, c * pool * pool] }));
    const branch = tape.apply(mul, [squeezed, this.gate.forward(tape, squeezed)], {});

    const scale = tape.apply(scaledHardSigmoid, [this.scale.forward(tape, branch)], {});
    const scaleMap = tape.apply(reshape, [scale], { shape: [n, scale.shape[1]!, 1, 1] });
    const fixed = tape.apply(mul, [this.conv.forward(tape, x), scaleMap], {});

    const phi = tape.apply(reshape, [this.phi.forward(tape, branch)], { shape: [n, latent, latent] });
    const z = this.bnQ.forward(tape, this.q.forward(tape, x));
    const [, , h, w] = z.shape as [number, number, number, number];
    const flat = tape.apply(reshape, [z], { shape: [n, latent, h * w] });
    const mixed = tape.apply(add, [this.bnPhi.forward(tape, tape.apply(matmul, [phi, flat], {})), flat], {});
    const dynamic = this.p.forward(tape, tape.apply(reshape, [mixed], { shape: [n, latent, h, w] }));
    return tape.apply(add, [fixed, dynamic], {});
  }
}
