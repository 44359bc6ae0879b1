/**
 * Dynamic convolution decomposition (Li et al. 2021), in the feature form that its authors trained:
 *
 *   y = s(x) * conv(x; W0) + P (I + BN . Phi(x)) BN(Q x)
 *
 * s(x) [N, outChannels] and Phi(x) [N, latent, latent] come from a small branch on the pooled input. Once the batch norms are
 * fixed, that is one convolution with a kernel for each image (`forwardFolded`):
 *
 *   W(x) = s(x) W0 + P (I + BN . Phi(x)) BN Q   at the centre tap
 */
import type { Tape } from '../autograd/tape.js';
import { reshaped, sizeOf, type Tensor } from '../memory/tensor.js';
import type { ActivationAttrs } from '../ops/activation.js';
import { conv2d } from '../ops/conv2d.js';
import { add, fill, mul, sub } from '../ops/elementwise.js';
import { matmul } from '../ops/matmul.js';
import { adaptiveAvgPool2d } from '../ops/pooling.js';
import { concat, reshape, slice } from '../ops/shape.js';
import { stridedCopy } from '../ops/strided.js';
import { BatchNorm, Conv2d, type ConvOptions, Linear } from './layers.js';
import { Layer } from './module.js';

export interface DynamicConv2dOptions extends ActivationAttrs, Pick<ConvOptions, 'init'> {
  readonly stride?: number;
  readonly padding?: number;
  /** A constant for each channel, which nothing scales: the bias of P. Default false. */
  readonly bias?: boolean;
  /** Width of the latent space. Default floor(sqrt(pooled width)). */
  readonly latent?: number;
  /** Width of the branch. Default max(pooled width, latent^2) / 16, at least 4. */
  readonly squeeze?: number;
  /** Side of the adaptive average pool that feeds the branch. Default 2. */
  readonly pool?: number;
}

/** x [N, inChannels, H, W] -> [N, outChannels, OH, OW], with a square kernel. */
export class DynamicConv2d extends Layer {
  private readonly latent: number;
  private readonly conv: Conv2d;
  private readonly q: Conv2d;
  private readonly p: Conv2d;
  private readonly bnQ: BatchNorm;
  private readonly bnPhi: BatchNorm;
  private readonly squeeze: Linear;
  private readonly gate: Linear;
  private readonly phi: Linear;
  private readonly scale: Linear;
  private readonly pool: number;
  private readonly stride: number;
  private readonly padding: number;
  private readonly activation: ActivationAttrs;

  constructor(inChannels: number, outChannels: number, kernel: number, options: DynamicConv2dOptions = {}) {
    super();
    const { stride = 1, padding = 0, pool = 2, bias = false, init = 'default', activation = 'none', slope } = options;
    const pooled = inChannels * pool * pool;
    this.pool = pool;
    this.stride = stride;
    this.padding = padding;
    this.activation = { activation, ...(slope !== undefined && { slope }) };
    this.latent = options.latent ?? Math.floor(Math.sqrt(pooled));
    const squeeze = options.squeeze ?? Math.max(Math.floor(Math.max(pooled, this.latent ** 2) / 16), 4);
    this.conv = this.child('conv', new Conv2d(inChannels, outChannels, kernel, { stride, padding, bias: false, init }));
    this.q = this.child('q', new Conv2d(inChannels, this.latent, 1, { stride, bias: false }));
    this.p = this.child('p', new Conv2d(this.latent, outChannels, 1, { bias }));
    this.bnQ = this.child('bn_q', new BatchNorm(this.latent));
    this.bnPhi = this.child('bn_phi', new BatchNorm(this.latent));
    this.squeeze = this.child('squeeze', new Linear(pooled, squeeze, { bias: false }));
    const bounded = { bias: false, activation: 'scaled_hard_sigmoid' } as const;
    this.gate = this.child('gate', new Linear(squeeze, squeeze, bounded));
    this.phi = this.child('phi', new Linear(squeeze, this.latent ** 2, { bias: false }));
    this.scale = this.child('scale', new Linear(squeeze, outChannels, bounded));
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const { scale, phi } = this.branch(tape, x);
    const scaleMap = tape.apply(reshape, [scale], { shape: [...scale.shape, 1, 1] });
    const fixed = tape.apply(mul, [this.conv.forward(tape, x), scaleMap], {});
    const dynamic = this.mixed(tape, phi, this.bnQ.forward(tape, this.q.forward(tape, x)));
    return tape.apply(add, [fixed, dynamic], this.activation);
  }

  /** What depends on the image as a whole: s(x) [N, outChannels] and Phi(x) [N, latent, latent]. */
  private branch(tape: Tape, x: Tensor): { readonly scale: Tensor; readonly phi: Tensor } {
    const [n, c] = x.shape as [number, number];
    const { latent, pool } = this;
    const pooled = tape.apply(adaptiveAvgPool2d, [x], { outputSize: [pool, pool] });
    const squeezed = this.squeeze.forward(tape, tape.apply(reshape, [pooled], { shape: [n, c * pool * pool] }));
    const branch = tape.apply(mul, [squeezed, this.gate.forward(tape, squeezed)], {});
    return {
      scale: this.scale.forward(tape, branch),
      phi: tape.apply(reshape, [this.phi.forward(tape, branch)], { shape: [n, latent, latent] }),
    };
  }

  /** P (I + BN . Phi) z. phi [N, latent, latent], z [N or 1, latent, h, w] -> [N, outChannels, h, w]. */
  private mixed(tape: Tape, phi: Tensor, z: Tensor): Tensor {
    const [, latent, h, w] = z.shape as [number, number, number, number];
    const flat = tape.apply(reshape, [z], { shape: [z.shape[0]!, latent, h * w] });
    const turned = this.bnPhi.forward(tape, tape.apply(matmul, [phi, flat], {}));
    const sum = tape.apply(add, [turned, flat], {});
    return this.p.forward(tape, tape.apply(reshape, [sum], { shape: [sum.shape[0]!, latent, h, w] }));
  }

  /**
   * The same in evaluation, as one convolution with a kernel for each image. Takes layers that keep the size (kernel
   * 2 padding + 1), strided or not; gradients do not pass.
   */
  forwardFolded(tape: Tape, x: Tensor): Tensor {
    if (this.training) throw new Error('a dynamic convolution is folded in evaluation only');
    return tape.noGrad(() => {
      const [n, c, h, w] = x.shape as [number, number, number, number];
      const { scale, phi } = this.branch(tape, x);
      const { kernels, constants } = this.folded(tape, phi);
      const weight = this.withCentre(tape, scale, kernels);
      const outChannels = scale.shape[1]!;
      const size = this.conv.weight.shape.slice(2);
      const images = tape.apply(reshape, [x], { shape: [1, n * c, h, w] });
      const grouped = tape.apply(reshape, [weight], { shape: [n * outChannels, c, ...size] });
      const y = tape.apply(conv2d, [images, grouped, constants], {
        stride: [this.stride, this.stride],
        padding: [this.padding, this.padding],
        groups: n,
        ...this.activation,
      });
      return tape.apply(reshape, [y], { shape: [n, outChannels, ...y.shape.slice(2)] });
    });
  }

  /**
   * The dynamic part's kernels [N, outChannels, inChannels] and constants [N * outChannels]. The part is affine in x, so it is
   * asked what it makes of each channel alone, and of nothing.
   */
  private folded(tape: Tape, phi: Tensor): { readonly kernels: Tensor; readonly constants: Tensor } {
    const { latent } = this;
    const n = phi.shape[0]!;
    const c = this.q.weight.shape[1]!;
    const channels = tape.apply(reshape, [this.q.weight.tensor], { shape: [1, latent, c] });
    const nothing = fill(tape.engine, tape.engine.empty([1, latent, 1]), 0);
    const z = this.bnQ.forward(tape, tape.apply(concat, [channels, nothing], { dim: 2 }));
    const rows = tape.apply(reshape, [phi], { shape: [n * latent, latent] });
    const products = tape.apply(matmul, [rows, reshaped(z, [latent, c + 1])], {});
    const turned = this.bnPhi.forward(tape, tape.apply(reshape, [products], { shape: [n, latent, c + 1] }));
    const sum = tape.apply(add, [turned, z], {});
    const responses = this.p.forward(tape, tape.apply(reshape, [sum], { shape: [n, latent, 1, c + 1] }));
    const constants = tape.apply(slice, [responses], { dim: 3, start: c, length: 1 });
    const kernels = tape.apply(sub, [tape.apply(slice, [responses], { dim: 3, start: 0, length: c }), constants], {});
    const outChannels = constants.shape[1]!;
    return {
      kernels: tape.apply(reshape, [kernels], { shape: [n, outChannels, c] }),
      constants: tape.apply(reshape, [constants], { shape: [n * outChannels] }),
    };
  }

  /** s(x) W0 [N, outChannels, inChannels, k, k] with `kernels` added at the centre tap. */
  private withCentre(tape: Tape, scale: Tensor, kernels: Tensor): Tensor {
    const { tensor, shape } = this.conv.weight;
    const [outChannels, c, ...size] = shape as [number, number, number, number];
    const taps = sizeOf(size);
    const n = scale.shape[0]!;
    const factors = tape.apply(reshape, [scale], { shape: [n, outChannels, 1] });
    const weight = tape.apply(mul, [factors, reshaped(tensor, [outChannels, c * taps])], {});
    const count = n * outChannels * c;
    const rows = tape.apply(reshape, [weight], { shape: [count, taps] });
    const centre = (taps - 1) / 2;
    const before = tape.apply(slice, [rows], { dim: 1, start: centre, length: 1 });
    const after = tape.apply(add, [before, tape.apply(reshape, [kernels], { shape: [count, 1] })], {});
    const to = { tensor: rows, strides: [taps], start: centre };
    stridedCopy(tape.engine, [count], { tensor: after, strides: [1] }, to);
    return tape.apply(reshape, [weight], { shape: [n, ...shape] });
  }
}

/** x [N, inputs] -> [N, outputs]: a dynamic convolution of one pixel. */
export class DynamicLinear extends Layer {
  private readonly pixel: DynamicConv2d;

  /** Widths of 32 are those of Li et al. 2021. */
  constructor(inputs: number, outputs: number, latent = 32, squeeze = 32) {
    super();
    this.pixel = this.child('pixel', new DynamicConv2d(inputs, outputs, 1, { pool: 1, latent, squeeze, bias: true }));
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const [n, inputs] = x.shape as [number, number];
    const y = this.pixel.forward(tape, tape.apply(reshape, [x], { shape: [n, inputs, 1, 1] }));
    return tape.apply(reshape, [y], { shape: [n, y.shape[1]!] });
  }
}
