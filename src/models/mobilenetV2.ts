/** MobileNetV2 (Sandler et al. 2018), with torchvision's layers and parameter names. */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { BatchNorm, Conv2d, Linear } from '../nn/layers.js';
import { Layer } from '../nn/module.js';
import { add } from '../ops/elementwise.js';
import { mean } from '../ops/reduce.js';

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

const RELU6 = { activation: 'relu6' } as const;

/** Expands to more channels, filters each by itself, and projects back; added to its input where the shapes agree. */
class InvertedResidual extends Layer {
  private readonly layers: readonly Layer[];
  private readonly residual: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, expansion: number) {
    super();
    const hidden = inChannels * expansion;
    const expand =
      expansion === 1
        ? []
        : [
            this.child('conv.0.0', new Conv2d(inChannels, hidden, 1, { bias: false })),
            this.child('conv.0.1', new BatchNorm(hidden, RELU6)),
          ];
    const i = expand.length / 2;
    const depthwise = { stride, padding: 1, groups: hidden, bias: false };
    this.layers = [
      ...expand,
      this.child(`conv.${i}.0`, new Conv2d(hidden, hidden, 3, depthwise)),
      this.child(`conv.${i}.1`, new BatchNorm(hidden, RELU6)),
      this.child(`conv.${i + 1}`, new Conv2d(hidden, outChannels, 1, { bias: false })),
      this.child(`conv.${i + 2}`, new BatchNorm(outChannels)),
    ];
    this.residual = stride === 1 && inChannels === outChannels;
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const y = this.layers.reduce((value, layer) => layer.forward(tape, value), x);
    return this.residual ? tape.apply(add, [y, x], {}) : y;
  }
}

/** images [N, channels, H, W] -> logits [N, classes]. Without torchvision's dropout before the last layer. */
export class MobileNetV2 extends Layer {
  private readonly features: readonly Layer[];
  private readonly classifier: Linear;

  constructor(classes: number, channels = 3) {
    super();
    const features: Layer[] = [
      this.child('features.0.0', new Conv2d(channels, 32, 3, { stride: 2, padding: 1, bias: false })),
      this.child('features.0.1', new BatchNorm(32, RELU6)),
    ];
    let width = 32;
    let index = 1;
    for (const [expansion, outChannels, blocks, firstStride] of STAGES) {
      for (let block = 0; block < blocks; block++) {
        const stride = block === 0 ? firstStride : 1;
        features.push(this.child(`features.${index++}`, new InvertedResidual(width, outChannels, stride, expansion)));
        width = outChannels;
      }
    }
    features.push(
      this.child(`features.${index}.0`, new Conv2d(width, 1280, 1, { bias: false })),
      this.child(`features.${index}.1`, new BatchNorm(1280, RELU6)),
    );
    this.features = features;
    this.classifier = this.child('classifier.1', new Linear(1280, classes));
  }

  forward(tape: Tape, images: Tensor): Tensor {
    const x = this.features.reduce((value, layer) => layer.forward(tape, value), images);
    return this.classifier.forward(tape, tape.apply(mean, [x], { dims: [2, 3] }));
  }
}
