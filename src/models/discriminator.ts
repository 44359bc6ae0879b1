/** DR-ACGAN's discriminator: four spectrally normalised convolutions, then one head that judges and one that names. */
import type { Tape } from '../autograd/tape.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { Conv2d, Linear } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { normalizedWeights, SpectralNorm } from '../nn/spectralNorm.js';
import { reshape } from '../ops/shape.js';

const STRIDES = [1, 2, 2, 2];

export interface DiscriminatorConfig {
  readonly classes: number;
  readonly channels: number;
  /** Side of the images: a multiple of 8. */
  readonly size: number;
  /** Channels of the four convolutions. */
  readonly widths: readonly number[];
  /** Whether generated images have classes of their own, after those of real ones (Hou et al. 2022). Default false. */
  readonly discriminative?: boolean;
}

/** What the discriminator says of N images. */
export interface Judgement {
  /** [N]: positive for real. */
  readonly adversarial: Tensor;
  /** [N, classes]; if discriminative, [N, 2 classes]: first as real images, then as generated ones. */
  readonly classes: Tensor;
}

/** images [N, channels, size, size] -> judgement. */
export class Discriminator extends Module {
  private readonly convs: SpectralNorm[];
  private readonly adversarial: SpectralNorm;
  private readonly classifier: SpectralNorm;

  constructor(readonly config: DiscriminatorConfig) {
    super();
    const { classes, channels, size, widths, discriminative = false } = config;
    const inputs = [channels, ...widths];
    this.convs = STRIDES.map((stride, i) => {
      const layer = new Conv2d(inputs[i]!, widths[i]!, 3, { stride, padding: 1, activation: 'leaky_relu', slope: 0.2 });
      return this.child(`convs.${i}`, new SpectralNorm(layer));
    });
    const features = widths.at(-1)! * (size / 8) ** 2;
    this.adversarial = this.child('adversarial', new SpectralNorm(new Linear(features, 1)));
    const named = discriminative ? 2 * classes : classes;
    this.classifier = this.child('classifier', new SpectralNorm(new Linear(features, named)));
  }

  /** Its layers by their names in the state_dict. */
  get normalized(): Readonly<Record<string, SpectralNorm>> {
    const convs = this.convs.map((conv, i) => [`convs.${i}`, conv] as const);
    return { ...Object.fromEntries(convs), adversarial: this.adversarial, classifier: this.classifier };
  }

  forward(tape: Tape, images: Tensor): Judgement {
    const layers = [...this.convs, this.adversarial, this.classifier];
    const weights = new Map(normalizedWeights(tape, layers).map((weight, i) => [layers[i]!, weight]));
    const through = (layer: SpectralNorm, x: Tensor): Tensor => layer.forwardWith(tape, x, weights.get(layer)!);
    const x = this.convs.reduce((input, conv) => through(conv, input), images);
    const n = x.shape[0]!;
    const flat = tape.apply(reshape, [x], { shape: [n, sizeOf(x.shape) / n] });
    return {
      adversarial: tape.apply(reshape, [through(this.adversarial, flat)], { shape: [n] }),
      classes: through(this.classifier, flat),
    };
  }
}
