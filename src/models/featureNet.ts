/**
 * A small classifier of spectrograms whose last but one layer is a space of features: what lies near there looks and would
 * sound alike. Networks that were trained on photographs know nothing of spectrograms; this one is trained on the very classes
 * that it is to compare.
 */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { BatchNorm, Conv2d, Linear } from '../nn/layers.js';
import { Layer } from '../nn/module.js';
import { mean } from '../ops/reduce.js';
import { reshape } from '../ops/shape.js';

const LEAKY = { activation: 'leaky_relu', slope: 0.2 } as const;

/** Side of the largest and of the last feature map, and channels of the first and of the widest. */
const [LARGEST, LAST] = [64, 4];
const [FIRST_WIDTH, MOST_WIDTH] = [16, 64];

export interface FeatureNetConfig {
  readonly classes: number;
  readonly channels: number;
  /** Side of the images: a power of two, 8 at least. */
  readonly size: number;
  /** Length of the feature vector. */
  readonly features: number;
}

/** Convolution, batch norm, activation. */
class Stage extends Layer {
  private readonly conv: Conv2d;
  private readonly bn: BatchNorm;

  constructor(inChannels: number, outChannels: number, kernel: number, stride: number) {
    super();
    const padding = (kernel - 1) / 2;
    this.conv = this.child('conv', new Conv2d(inChannels, outChannels, kernel, { stride, padding, bias: false }));
    this.bn = this.child('bn', new BatchNorm(outChannels, LEAKY));
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return this.bn.forward(tape, this.conv.forward(tape, x));
  }
}

/** images [N, channels, size, size] -> logits [N, classes]. */
export class FeatureNet extends Layer {
  private readonly stages: readonly Stage[];
  private readonly toFeatures: Linear;
  private readonly classifier: Linear;

  constructor(readonly config: FeatureNetConfig) {
    super();
    const { classes, channels, size, features } = config;
    // The first stage brings large images down to 64 x 64, each further one halves the side.
    const step = Math.max(1, size / LARGEST);
    const stages = [this.child('stages.0', new Stage(channels, FIRST_WIDTH, 2 * step + 1, step))];
    let width = FIRST_WIDTH;
    for (let side = size / step; side > LAST; side /= 2) {
      const next = Math.min(MOST_WIDTH, 2 * width);
      stages.push(this.child(`stages.${stages.length}`, new Stage(width, next, 3, 2)));
      width = next;
    }
    this.stages = stages;
    this.toFeatures = this.child('features', new Linear(width * LAST, features, LEAKY));
    this.classifier = this.child('classifier', new Linear(features, classes));
  }

  forward(tape: Tape, images: Tensor): Tensor {
    return this.classifier.forward(tape, this.features(tape, images));
  }

  /** images -> feature vectors [N, features]. Averaged over time, not over pitch: where in the window a song lies says nothing. */
  features(tape: Tape, images: Tensor): Tensor {
    const maps = this.stages.reduce((x, stage) => stage.forward(tape, x), images);
    const rows = tape.apply(mean, [maps], { dims: [3] });
    const [n, width, pitches] = rows.shape as [number, number, number];
    return this.toFeatures.forward(tape, tape.apply(reshape, [rows], { shape: [n, width * pitches] }));
  }
}
