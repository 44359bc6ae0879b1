/**
 * DR-ACGAN's generator: an embedded class times noise, a linear layer, then residual blocks with CBAM, each of which
 * doubles the image by a transposed convolution. Each of these can be left out or replaced, to see what it is worth.
 */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { CBAM } from '../nn/cbam.js';
import { ConditionalBatchNorm } from '../nn/conditionalBatchNorm.js';
import { DynamicConv2d } from '../nn/dynamicConv2d.js';
import { BatchNorm, Conv2d, ConvTranspose2d, Embedding, Linear, UpsampleConv2d } from '../nn/layers.js';
import { type Layer, Module } from '../nn/module.js';
import type { ActivationAttrs } from '../ops/activation.js';
import { leakyRelu } from '../ops/activations.js';
import { add } from '../ops/elementwise.js';
import { reshape } from '../ops/shape.js';

const LEAKY = { activation: 'leaky_relu', slope: 0.2 } as const;

/** Ways to double an image: by a transposed convolution, or by repeating pixels before a convolution. */
export const UPSAMPLING = ['transposed', 'nearest'] as const;

/** Of the blocks. */
export interface BlockConfig {
  /** Whether CBAM is applied. Default true. */
  readonly attention?: boolean;
  /** Whether a block's input is added to what its convolutions make of it. Default true. */
  readonly residual?: boolean;
  /** Default transposed. */
  readonly upsampling?: (typeof UPSAMPLING)[number];
  /** Whether the two convolutions before the upsampling are dynamic (Li et al. 2021). Default false. */
  readonly dynamic?: boolean;
  /** Whether each class has scales and shifts of its own in the batch norms. Default false. */
  readonly conditionalNorm?: boolean;
}

export interface GeneratorConfig extends BlockConfig {
  readonly classes: number;
  readonly channels: number;
  /** Length of the noise vector. */
  readonly latent: number;
  /** Side of the first feature map. */
  readonly base: number;
  /** Channels at each resolution, from base x base to size x size; each step doubles. */
  readonly widths: readonly number[];
}

/** Side of the images: base doubled once a block. */
export const generatedSize = (base: number, widths: readonly number[]): number => base * 2 ** (widths.length - 1);

/** A batch norm, which may look at the classes of the images. */
interface Norm extends Module {
  forward(tape: Tape, x: Tensor, labels: Tensor): Tensor;
}

/** x [N, inChannels, H, W], labels [N] -> [N, outChannels, 2 H, 2 W]. */
class ResidualUpBlock extends Module {
  private readonly conv1: Layer;
  private readonly bn1: Norm;
  private readonly conv2: Layer;
  private readonly bn2: Norm;
  private readonly cbam: CBAM | undefined;
  private readonly up: Layer;
  private readonly bn3: Norm;
  private readonly residual: boolean;

  constructor(inChannels: number, outChannels: number, classes: number, config: BlockConfig) {
    super();
    const { attention = true, residual = true, upsampling = 'transposed' } = config;
    this.residual = residual;
    const convolution = (): Layer =>
      config.dynamic
        ? new DynamicConv2d(inChannels, inChannels, 3, { padding: 1 })
        : new Conv2d(inChannels, inChannels, 3, { padding: 1, bias: false });
    const norm = (features: number, activation?: ActivationAttrs): Norm =>
      config.conditionalNorm
        ? new ConditionalBatchNorm(features, classes, activation)
        : new BatchNorm(features, activation);
    this.conv1 = this.child('conv1', convolution());
    this.bn1 = this.child('bn1', norm(inChannels, LEAKY));
    this.conv2 = this.child('conv2', convolution());
    this.bn2 = this.child('bn2', norm(inChannels));
    this.cbam = attention ? this.child('cbam', new CBAM(inChannels)) : undefined;
    const up =
      upsampling === 'nearest'
        ? new UpsampleConv2d(inChannels, outChannels, 3, { bias: false })
        : new ConvTranspose2d(inChannels, outChannels, 4, { stride: 2, padding: 1, bias: false });
    this.up = this.child('up', up);
    this.bn3 = this.child('bn3', norm(outChannels, LEAKY));
  }

  forward(tape: Tape, x: Tensor, labels: Tensor): Tensor {
    const sum = tape.checkpoint(() => {
      const inner = this.bn1.forward(tape, this.conv1.forward(tape, x), labels);
      const outer = this.bn2.forward(tape, this.conv2.forward(tape, inner), labels);
      return this.combine(tape, outer, this.residual ? x : undefined);
    });
    return tape.checkpoint(() => this.bn3.forward(tape, this.up.forward(tape, sum), labels));
  }

  /** The end of the block's first half: attention, the skip connection, the activation. */
  private combine(tape: Tape, x: Tensor, skipped: Tensor | undefined): Tensor {
    if (this.cbam) return this.cbam.forwardInto(tape, x, skipped, LEAKY);
    return skipped ? tape.apply(add, [x, skipped], LEAKY) : tape.apply(leakyRelu, [x], { slope: LEAKY.slope });
  }
}

/** z [N, latent], labels [N] (i32) -> images [N, channels, size, size] in (-1, 1). */
export class Generator extends Module {
  private readonly embed: Embedding;
  private readonly fc: Linear;
  private readonly blocks: ResidualUpBlock[];
  private readonly toImage: Conv2d;

  constructor(readonly config: GeneratorConfig) {
    super();
    const { classes, channels, latent, base, widths } = config;
    this.embed = this.child('embed', new Embedding(classes, latent));
    this.fc = this.child('fc', new Linear(latent, widths[0]! * base * base));
    this.blocks = widths
      .slice(1)
      .map((width, i) => this.child(`blocks.${i}`, new ResidualUpBlock(widths[i]!, width, classes, config)));
    this.toImage = this.child('to_image', new Conv2d(widths.at(-1)!, channels, 3, { padding: 1, activation: 'tanh' }));
  }

  forward(tape: Tape, z: Tensor, labels: Tensor): Tensor {
    const { base, widths } = this.config;
    const seed = this.fc.forward(tape, this.embed.forward(tape, labels, z));
    let x = tape.apply(reshape, [seed], { shape: [z.shape[0]!, widths[0]!, base, base] });
    for (const block of this.blocks) x = block.forward(tape, x, labels);
    return this.toImage.forward(tape, x);
  }
}
