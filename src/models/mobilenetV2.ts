/** MobileNetV2 (Sandler et al. 2018), with torchvision's layers and parameter names. */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { DynamicConv2d } from '../nn/dynamicConv2d.js';
import { BatchNorm, Conv2d, Dropout } from '../nn/layers.js';
import { Layer } from '../nn/module.js';
import { add } from '../ops/elementwise.js';
import { mean } from '../ops/reduce.js';
import { Classifier, type ClassifierOptions, lastLayer } from './classifier.js';

/** Expansion, channels, blocks and first stride of each stage. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

const [FIRST_WIDTH, LAST_WIDTH, DROPOUT] = [32, 1280, 0.2];

const RELU6 = { activation: 'relu6' } as const;
/** Followed by batch norm, so without bias. */
const PLAIN = { bias: false, init: 'kaiming' } as const;

/** The nearest multiple of 8, but not below 90 % of `width`: torchvision's _make_divisible. */
function divisible(width: number): number {
  const nearest = Math.max(8, Math.floor((width + 4) / 8) * 8);
  return nearest < 0.9 * width ? nearest + 8 : nearest;
}

/** Latent width and pool of a dynamic pointwise convolution, as Li et al. 2021 chose them for this network. */
function dynamics(inChannels: number, outChannels: number): { latent: number; pool: number } {
  const expands = inChannels < outChannels;
  const pool = expands ? 2 : 1;
  const pooled = inChannels * pool * pool;
  let reduction = expands ? 8 : 2;
  const latent = (): number => Math.floor(Math.min(pooled, outChannels) / reduction);
  while (latent() ** 2 > 2 * pooled) reduction *= 2;
  return { latent: Math.max(4, latent()), pool };
}

const pointwise = (inChannels: number, outChannels: number, dynamic: boolean): Layer =>
  dynamic
    ? new DynamicConv2d(inChannels, outChannels, 1, { ...dynamics(inChannels, outChannels), ...PLAIN })
    : new Conv2d(inChannels, outChannels, 1, PLAIN);

/** Expands to more channels, filters each by itself, and projects back; added to its input where the shapes agree. */
class InvertedResidual extends Layer {
  private readonly layers: readonly Layer[];
  private readonly residual: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, expansion: number, dynamic: boolean) {
    super();
    const hidden = inChannels * expansion;
    const expands = expansion !== 1;
    const expand = expands
      ? [
          this.child('conv.0.0', pointwise(inChannels, hidden, dynamic)),
          this.child('conv.0.1', new BatchNorm(hidden, RELU6)),
        ]
      : [];
    const i = expand.length / 2;
    const depthwise = { stride, padding: 1, groups: hidden, ...PLAIN };
    this.layers = [
      ...expand,
      this.child(`conv.${i}.0`, new Conv2d(hidden, hidden, 3, depthwise)),
      this.child(`conv.${i}.1`, new BatchNorm(hidden, RELU6)),
      this.child(`conv.${i + 1}`, pointwise(hidden, outChannels, dynamic && expands)),
      this.child(`conv.${i + 2}`, new BatchNorm(outChannels)),
    ];
    this.residual = stride === 1 && inChannels === outChannels;
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const y = this.layers.reduce((value, layer) => layer.forward(tape, value), x);
    return this.residual ? tape.apply(add, [y, x], {}) : y;
  }
}

/** images [N, channels, H, W] -> logits [N, classes]. Dynamic: the pointwise convolutions of all blocks that expand. */
export class MobileNetV2 extends Classifier {
  readonly stem = 'features.0.0';
  readonly head = 'classifier.1';
  private readonly features: readonly Layer[];
  private readonly dropout: Dropout;
  private readonly classifier: Layer;

  constructor(options: ClassifierOptions) {
    super(options, 1);
    const { channels = 3, width: factor = 1, dynamic = false, dropout = DROPOUT } = options;
    let width = divisible(FIRST_WIDTH * factor);
    const features: Layer[] = [
      this.child(this.stem, new Conv2d(channels, width, 3, { stride: 2, padding: 1, ...PLAIN })),
      this.child('features.0.1', new BatchNorm(width, RELU6)),
    ];
    let index = 1;
    for (const [expansion, base, blocks, firstStride] of STAGES) {
      const next = divisible(base * factor);
      for (let block = 0; block < blocks; block++) {
        const stride = block === 0 ? firstStride : 1;
        features.push(this.child(`features.${index++}`, new InvertedResidual(width, next, stride, expansion, dynamic)));
        width = next;
      }
    }
    // What the classifier sees is never narrowed.
    const last = divisible(LAST_WIDTH * Math.max(1, factor));
    features.push(
      this.child(`features.${index}.0`, new Conv2d(width, last, 1, PLAIN)),
      this.child(`features.${index}.1`, new BatchNorm(last, RELU6)),
    );
    this.features = features;
    this.dropout = this.child('classifier.0', new Dropout(dropout));
    this.classifier = this.child(this.head, lastLayer(last, options, { deviation: 0.01 }));
  }

  protected logits(tape: Tape, images: Tensor): Tensor {
    const x = this.features.reduce((value, layer) => layer.forward(tape, value), images);
    const averaged = tape.apply(mean, [x], { dims: [2, 3] });
    return this.classifier.forward(tape, this.dropout.forward(tape, averaged));
  }
}
