/**
 * DR-ACGAN's generator: an embedded class times noise, a linear layer, then residual blocks with CBAM, each of which
 * doubles the image by a transposed convolution.
 */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { CBAM } from '../nn/cbam.js';
import { BatchNorm, Conv2d, ConvTranspose2d, Embedding, Linear } from '../nn/layers.js';
import { Layer, Module } from '../nn/module.js';
import { reshape } from '../ops/shape.js';

const LEAKY = { activation: 'leaky_relu', slope: 0.2 } as const;

export interface GeneratorConfig {
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

/** x [N, inChannels, H, W] -> [N, outChannels, 2 H, 2 W]. */
class ResidualUpBlock extends Layer {
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm;
  private readonly conv2: Conv2d;
  private readonly bn2: BatchNorm;
  private readonly cbam: CBAM;
  private readonly up: ConvTranspose2d;
  private readonly bn3: BatchNorm;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv1 = this.child('conv1', new Conv2d(inChannels, inChannels, 3, { padding: 1, bias: false }));
    this.bn1 = this.child('bn1', new BatchNorm(inChannels, LEAKY));
    this.conv2 = this.child('conv2', new Conv2d(inChannels, inChannels, 3, { padding: 1, bias: false }));
    this.bn2 = this.child('bn2', new BatchNorm(inChannels));
    this.cbam = this.child('cbam', new CBAM(inChannels));
    this.up = this.child('up', new ConvTranspose2d(inChannels, outChannels, 4, { stride: 2, padding: 1, bias: false }));
    this.bn3 = this.child('bn3', new BatchNorm(outChannels, LEAKY));
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const sum = tape.checkpoint(() => {
      const inner = this.bn1.forward(tape, this.conv1.forward(tape, x));
      const outer = this.bn2.forward(tape, this.conv2.forward(tape, inner));
      return this.cbam.forwardInto(tape, outer, x, LEAKY);
    });
    return tape.checkpoint(() => this.bn3.forward(tape, this.up.forward(tape, sum)));
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
    this.blocks = widths.slice(1).map((width, i) => this.child(`blocks.${i}`, new ResidualUpBlock(widths[i]!, width)));
    this.toImage = this.child('to_image', new Conv2d(widths.at(-1)!, channels, 3, { padding: 1, activation: 'tanh' }));
  }

  forward(tape: Tape, z: Tensor, labels: Tensor): Tensor {
    const { base, widths } = this.config;
    const seed = this.fc.forward(tape, this.embed.forward(tape, labels, z));
    let x = tape.apply(reshape, [seed], { shape: [z.shape[0]!, widths[0]!, base, base] });
    for (const block of this.blocks) x = block.forward(tape, x);
    return this.toImage.forward(tape, x);
  }
}
