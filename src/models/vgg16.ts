/** VGG16 (Simonyan and Zisserman 2015), without batch norm, with torchvision's layers and parameter names. */
import type { Tape } from '../autograd/tape.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { DynamicConv2d } from '../nn/dynamicConv2d.js';
import { Conv2d, Dropout, Linear } from '../nn/layers.js';
import type { Layer } from '../nn/module.js';
import { adaptiveAvgPool2d, maxPool2d } from '../ops/pooling.js';
import { reshape } from '../ops/shape.js';
import { Classifier, type ClassifierOptions, lastLayer, scaled } from './classifier.js';

/** Channels of the 3x3 convolutions of each stage; a pool that halves the side follows. */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

const [HIDDEN, DROPOUT] = [4096, 0.5];
/** Side of the feature map that the classifier sees. */
const LAST_SIDE = 7;

const RELU = { activation: 'relu' } as const;
/** As torchvision initialises them. */
const LINEAR = { deviation: 0.01 } as const;

/** Dynamic ones keep their bias: no batch norm follows that would have one. */
const convolution = (inChannels: number, outChannels: number, dynamic: boolean): Layer =>
  dynamic
    ? new DynamicConv2d(inChannels, outChannels, 3, { padding: 1, bias: true, init: 'kaiming', ...RELU })
    : new Conv2d(inChannels, outChannels, 3, { padding: 1, init: 'kaiming', ...RELU });

/** images [N, channels, H, W] -> logits [N, classes]. Dynamic: every convolution but the first. */
export class VGG16 extends Classifier {
  readonly stem = 'features.0';
  readonly head = 'classifier.6';
  private readonly stages: readonly (readonly Layer[])[];
  private readonly classifier: readonly Layer[];

  constructor(options: ClassifierOptions) {
    super(options, 2 ** STAGES.length);
    const { channels = 3, dynamic = false, dropout = DROPOUT } = options;
    let [width, index] = [channels, 0];
    this.stages = STAGES.map((widths) => {
      const stage = widths.map((base) => {
        const next = scaled(base, options);
        const layer = this.child(`features.${index}`, convolution(width, next, dynamic && index > 0));
        width = next;
        index += 2; // torchvision counts the ReLU
        return layer;
      });
      index++; // and the pool
      return stage;
    });
    const hidden = scaled(HIDDEN, options);
    const first = new Linear(width * LAST_SIDE ** 2, hidden, { ...LINEAR, ...RELU });
    this.classifier = [
      this.child('classifier.0', first),
      this.child('classifier.2', new Dropout(dropout)),
      this.child('classifier.3', new Linear(hidden, hidden, { ...LINEAR, ...RELU })),
      this.child('classifier.5', new Dropout(dropout)),
      this.child(this.head, lastLayer(hidden, options, LINEAR)),
    ];
  }

  protected logits(tape: Tape, images: Tensor): Tensor {
    let x = images;
    for (const stage of this.stages) {
      for (const layer of stage) x = layer.forward(tape, x);
      x = tape.apply(maxPool2d, [x], { kernel: [2, 2] });
    }
    const pooled = tape.apply(adaptiveAvgPool2d, [x], { outputSize: [LAST_SIDE, LAST_SIDE] });
    const [n, ...features] = pooled.shape as [number, ...number[]];
    const flat = tape.apply(reshape, [pooled], { shape: [n, sizeOf(features)] });
    return this.classifier.reduce((value, layer) => layer.forward(tape, value), flat);
  }
}
