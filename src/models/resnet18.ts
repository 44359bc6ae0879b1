/** ResNet-18 (He et al. 2016), with torchvision's layers and parameter names. */
import type { Tape } from '../autograd/tape.js';
import type { Tensor } from '../memory/tensor.js';
import { BatchNorm, Conv2d, Linear } from '../nn/layers.js';
import { Layer } from '../nn/module.js';
import { add } from '../ops/elementwise.js';
import { maxPool2d } from '../ops/pooling.js';
import { mean } from '../ops/reduce.js';

/** Channels and first stride of the four stages, of two blocks each. */
const STAGES = [
  [64, 1],
  [128, 2],
  [256, 2],
  [512, 2],
] as const;

/** Two 3x3 convolutions beside a skip connection, which is a 1x1 convolution where the shape changes. */
class BasicBlock extends Layer {
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm;
  private readonly conv2: Conv2d;
  private readonly bn2: BatchNorm;
  private readonly skip: readonly Layer[];

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.conv1 = this.child('conv1', new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false }));
    this.bn1 = this.child('bn1', new BatchNorm(outChannels, { activation: 'relu' }));
    this.conv2 = this.child('conv2', new Conv2d(outChannels, outChannels, 3, { padding: 1, bias: false }));
    this.bn2 = this.child('bn2', new BatchNorm(outChannels));
    this.skip =
      stride === 1 && inChannels === outChannels
        ? []
        : [
            this.child('downsample.0', new Conv2d(inChannels, outChannels, 1, { stride, bias: false })),
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

/** images [N, channels, H, W] -> logits [N, classes]. */
export class ResNet18 extends Layer {
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm;
  private readonly blocks: readonly BasicBlock[];
  private readonly fc: Linear;

  constructor(classes: number, channels = 3) {
    super();
    this.conv1 = this.child('conv1', new Conv2d(channels, 64, 7, { stride: 2, padding: 3, bias: false }));
    this.bn1 = this.child('bn1', new BatchNorm(64, { activation: 'relu' }));
    this.blocks = STAGES.flatMap(([width, stride], stage) => {
      const before = STAGES[stage - 1]?.[0] ?? 64;
      return [
        this.child(`layer${stage + 1}.0`, new BasicBlock(before, width, stride)),
        this.child(`layer${stage + 1}.1`, new BasicBlock(width, width, 1)),
      ];
    });
    this.fc = this.child('fc', new Linear(512, classes));
  }

  forward(tape: Tape, images: Tensor): Tensor {
    const stem = this.bn1.forward(tape, this.conv1.forward(tape, images));
    let x = tape.apply(maxPool2d, [stem], { kernel: [3, 3], stride: [2, 2], padding: [1, 1] });
    for (const block of this.blocks) x = block.forward(tape, x);
    return this.fc.forward(tape, tape.apply(mean, [x], { dims: [2, 3] }));
  }
}
