/** What the classifiers have in common: how they are told what to be, which images they take, and their last layer. */
import type { Tape } from '../autograd/tape.js';
import { formatShape, type Tensor } from '../memory/tensor.js';
import { DynamicLinear } from '../nn/dynamicConv2d.js';
import { Linear, type LinearOptions } from '../nn/layers.js';
import { Layer } from '../nn/module.js';

export interface ClassifierOptions {
  readonly classes: number;
  /** Channels of the images. Default 3, as in torchvision. */
  readonly channels?: number | undefined;
  /** Factor of all widths, for small machines. Default 1. */
  readonly width?: number | undefined;
  /** Probability of dropping a feature before the last layers. Default: torchvision's. */
  readonly dropout?: number | undefined;
  /** Whether convolutions are dynamic (nn/dynamicConv2d.ts); which ones, the networks say. Default false. */
  readonly dynamic?: boolean | undefined;
  /** Whether the last layer is dynamic. Default false. */
  readonly dynamicHead?: boolean | undefined;
}

/** images [N, channels, H, W] -> logits [N, classes]. */
export abstract class Classifier extends Layer {
  /** The first convolution by its state_dict name, which knows of the channels, and the last layer, which knows of the classes. */
  abstract readonly stem: string;
  abstract readonly head: string;

  /** `leastSide`: of images, in pixels. */
  constructor(
    readonly options: ClassifierOptions,
    readonly leastSide: number,
  ) {
    super();
  }

  /** Throws an error that says which images it takes, given others. */
  forward(tape: Tape, images: Tensor): Tensor {
    const [, channels, height = 0, width = 0] = images.shape;
    const { channels: wanted = 3 } = this.options;
    if (images.shape.length !== 4 || channels !== wanted || Math.min(height, width) < this.leastSide) {
      throw new Error(
        `this network takes images [N, ${wanted}, H, W] of ${this.leastSide} x ${this.leastSide} pixels at least, ` +
          `not ${formatShape(images.shape)}`,
      );
    }
    return this.logits(tape, images);
  }

  protected abstract logits(tape: Tape, images: Tensor): Tensor;
}

/** The last layer: features [N, inputs] -> logits [N, classes]. */
export const lastLayer = (
  inputs: number,
  { classes, dynamicHead = false }: ClassifierOptions,
  options: LinearOptions = {},
): Layer => (dynamicHead ? new DynamicLinear(inputs, classes) : new Linear(inputs, classes, options));

/** So many channels times a width factor: one at least. */
export const scaled = (channels: number, { width = 1 }: ClassifierOptions): number =>
  Math.max(1, Math.round(channels * width));
