/** ResNet-18 (He et al. 2016), with torchvision's layers and parameter names. */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { DynamicConv2d } from '../nn/dynamicConv2d.js';
import { BatchNorm, Conv2d } from '../nn/layers.js';
import { Layer } from '../nn/module.js';
import { add } from '../ops/elementwise.js';
import { maxPool2d } from '../ops/pooling.js';
import { mean } from '../ops/reduce.js';
import { Classifier, type ClassifierOptions, lastLayer, scaled } from './classifier.js';

/** Channels and first stride of the four stages, of two blocks each. */
const STAGES = [
  [64, 1],
  [128, 2],
  [256, 2],
  [512, 2],
] as const;

/** Followed by batch norm, so without bias. */
const PLAIN = { bias: false, init: 'kaiming' } as const;

const conv3x3 = (inChannels: number, outChannels: number, stride: number, dynamic: boolean): Layer => {
  const Conv = dynamic ? DynamicConv2d : Conv2d;
  return new Conv(inChannels, outChannels, 3, { stride, padding: 1, ...PLAIN });
};

/** Two 3x3 convolutions beside a skip connection, which is a 1x1 convolution where the shape changes. */
class BasicBlock extends Layer {
  private readonly conv1: Layer;
  private readonly bn1: BatchNorm;
  private readonly conv2: Layer;
  private readonly bn2: BatchNorm;
  private readonly skip: readonly Layer[];

  constructor(inChannels: number, outChannels: number, stride: number, dynamic: boolean) {
    super();
    this.conv1 = this.child('conv1', conv3x3(inChannels, outChannels, stride, dynamic));
    this.bn1 = this.child('bn1', new BatchNorm(outChannels, { activation: 'relu' }));
    this.conv2 = this.child('conv2', conv3x3(outChannels, outChannels, 1, dynamic));
    this.bn2 = this.child('bn2', new BatchNorm(outChannels));
    this.skip =
      stride === 1 && inChannels === outChannels
        ? []
        : [
            this.child('downsample.0', new Conv2d(inChannels, outChannels, 1, { stride, ...PLAIN })),
            this.child('downsample.1', new BatchNorm(outChannels)),
          ];
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const inner = this.bn1.forward(tape, this.conv1.forward(tape, x));
    const residual = this.bn2.forward(tape, this.conv2.forward(tape, inner));
    const skipped = this.skip.reduce((value, layer) => layer.forward(tape, value), x);
    return tape.apply(add, [residual, skipped], { activation: 'relu' });
  }
}

/** images [N, channels, H, W] -> logits [N, classes]. Dynamic: every 3x3 convolution of the blocks. */
export class ResNet18 extends Classifier {
  readonly stem = 'conv1';
  readonly head = 'fc';
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm;
  private readonly blocks: readonly BasicBlock[];
  private readonly fc: Layer;

  constructor(options: ClassifierOptions) {
    super(options, 1);
    const { channels = 3, dynamic = false } = options;
    let width = scaled(STAGES[0][0], options);
    this.conv1 = this.child(this.stem, new Conv2d(channels, width, 7, { stride: 2, padding: 3, ...PLAIN }));
    this.bn1 = this.child('bn1', new BatchNorm(width, { activation: 'relu' }));
    this.blocks = STAGES.flatMap(([base, stride], stage) => {
      const [before, next] = [width, scaled(base, options)];
      width = next;
      return [
        this.child(`layer${stage + 1}.0`, new BasicBlock(before, next, stride, dynamic)),
        this.child(`layer${stage + 1}.1`, new BasicBlock(next, next, 1, dynamic)),
      ];
    });
    this.fc = this.child(this.head, lastLayer(width, options));
  }

  protected logits(tape: Tape, images: Tensor): Tensor {
    const stem = this.bn1.forward(tape, this.conv1.forward(tape, images));
    let x = tape.apply(maxPool2d, [stem], { kernel: [3, 3], stride: [2, 2], padding: [1, 1] });
    for (const block of this.blocks) x = block.forward(tape, x);
    return this.fc.forward(tape, tape.apply(mean, [x], { dims: [2, 3] }));
  }
}
