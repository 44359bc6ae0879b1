/** The layers that networks are built of, initialised as PyTorch initialises them. */
import type { Tape } from '../autograd/tape.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import type { ActivationAttrs } from '../ops/activation.js';
import { batchNorm } from '../ops/batchNorm.js';
import { type Conv2dAttrs, conv2d, convTranspose2d } from '../ops/conv2d.js';
import { dropout } from '../ops/dropout.js';
import { embedding } from '../ops/embedding.js';
import { linear } from '../ops/matmul.js';
import { upsampleConv2d } from '../ops/upsampleConv2d.js';
import { type Init, Layer, Module, type Parameter } from './module.js';

/** PyTorch's default for weights and biases: kaiming_uniform with a = sqrt(5), which is uniform within 1 / sqrt(fan in). */
const fanIn = (count: number): Init => ({ kind: 'uniform', bound: 1 / Math.sqrt(count) });

/**
 * What keeps the variance of gradients through layers of ReLU (He et al. 2015): kaiming_normal_ by the fan out, as torchvision
 * initialises convolutions. The weight is [O, C/groups, k, k].
 */
const kaiming = (shape: Shape): Init => ({
  kind: 'normal',
  deviation: Math.sqrt(2 / (shape[0]! * sizeOf(shape.slice(2)))),
});

const ZERO: Init = { kind: 'constant', value: 0 };
const ONE: Init = { kind: 'constant', value: 1 };

/** A layer with a weight, which spectral normalisation can put another in the place of. */
export interface Weighted extends Layer {
  readonly weight: Parameter;
  forwardWith(tape: Tape, x: Tensor, weight: Tensor): Tensor;
}

export interface ConvOptions extends ActivationAttrs {
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** How weights begin: PyTorch's default, or torchvision's, for deep networks of ReLU, with biases of zero. */
  readonly init?: 'default' | 'kaiming';
}

function convAttrs({
  stride = 1,
  padding = 0,
  dilation = 1,
  groups = 1,
  activation = 'none',
  slope,
}: ConvOptions): Conv2dAttrs {
  return {
    stride: [stride, stride],
    padding: [padding, padding],
    dilation: [dilation, dilation],
    groups,
    activation,
    ...(slope !== undefined && { slope }),
  };
}

/** x [N, inChannels, H, W] -> [N, outChannels, OH, OW], with a square kernel. */
export class Conv2d extends Layer implements Weighted {
  readonly weight: Parameter;
  private readonly bias: Parameter | undefined;
  private readonly attrs: Conv2dAttrs;

  constructor(inChannels: number, outChannels: number, kernel: number, options: ConvOptions = {}) {
    super();
    this.attrs = convAttrs(options);
    const shape = [outChannels, inChannels / (options.groups ?? 1), kernel, kernel];
    const init = fanIn(sizeOf(shape.slice(1)));
    const deep = options.init === 'kaiming';
    this.weight = this.parameter('weight', shape, deep ? kaiming(shape) : init);
    this.bias = options.bias === false ? undefined : this.parameter('bias', [outChannels], deep ? ZERO : init);
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return this.forwardWith(tape, x, this.weight.tensor);
  }

  forwardWith(tape: Tape, x: Tensor, weight: Tensor): Tensor {
    return tape.apply(conv2d, [x, weight, this.bias?.tensor], this.attrs);
  }
}

/** x [N, inChannels, H, W] -> [N, outChannels, (H - 1) stride - 2 padding + kernel, ...]. */
export class ConvTranspose2d extends Layer {
  private readonly weight: Parameter;
  private readonly bias: Parameter | undefined;
  private readonly attrs: Conv2dAttrs;

  constructor(inChannels: number, outChannels: number, kernel: number, options: ConvOptions = {}) {
    super();
    this.attrs = convAttrs(options);
    const shape = [inChannels, outChannels / (options.groups ?? 1), kernel, kernel];
    // PyTorch takes the fan in from the second dimension here too, though it is the number of outputs.
    const init = fanIn(sizeOf(shape.slice(1)));
    this.weight = this.parameter('weight', shape, init);
    this.bias = options.bias === false ? undefined : this.parameter('bias', [outChannels], init);
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return tape.apply(convTranspose2d, [x, this.weight.tensor, this.bias?.tensor], this.attrs);
  }
}

/** x [N, inChannels, H, W] -> [N, outChannels, 2 H, 2 W]: pixels repeated 2 x 2 times, then a kernel of 1 x 1 or 3 x 3. */
export class UpsampleConv2d extends Layer {
  private readonly weight: Parameter;
  private readonly bias: Parameter | undefined;

  constructor(inChannels: number, outChannels: number, kernel: 1 | 3, options: { readonly bias?: boolean } = {}) {
    super();
    const shape = [outChannels, inChannels, kernel, kernel];
    const init = fanIn(sizeOf(shape.slice(1)));
    this.weight = this.parameter('weight', shape, init);
    this.bias = options.bias === false ? undefined : this.parameter('bias', [outChannels], init);
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return tape.apply(upsampleConv2d, [x, this.weight.tensor, this.bias?.tensor], {});
  }
}

export interface LinearOptions extends ActivationAttrs {
  /** Default true. */
  readonly bias?: boolean;
  /** Weights begin as normal values of this deviation, biases as zeros. Default: PyTorch's own way. */
  readonly deviation?: number;
}

/** x [..., inputs] -> [..., outputs]. */
export class Linear extends Layer implements Weighted {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(
    inputs: number,
    outputs: number,
    private readonly options: LinearOptions = {},
  ) {
    super();
    const { deviation } = options;
    const init: Init = deviation === undefined ? fanIn(inputs) : { kind: 'normal', deviation };
    this.weight = this.parameter('weight', [outputs, inputs], init);
    this.bias =
      options.bias === false
        ? undefined
        : this.parameter('bias', [outputs], deviation === undefined ? fanIn(inputs) : ZERO);
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return this.forwardWith(tape, x, this.weight.tensor);
  }

  forwardWith(tape: Tape, x: Tensor, weight: Tensor): Tensor {
    const { activation = 'none', slope } = this.options;
    return tape.apply(linear, [x, weight, this.bias?.tensor], { activation, ...(slope !== undefined && { slope }) });
  }
}

export interface BatchNormOptions extends ActivationAttrs {
  /** Weight of a new batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Default 1e-5. */
  readonly eps?: number;
  /** Whether it has a weight and a bias. Default true. */
  readonly affine?: boolean;
}

/** Normalises each of `features` channels of x [N, C], [N, C, L] or [N, C, H, W], then scales, shifts and activates. */
export class BatchNorm extends Layer {
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;
  readonly runningMean: Parameter;
  readonly runningVar: Parameter;
  /** See BatchNormOptions. */
  momentum: number;

  constructor(
    features: number,
    private readonly options: BatchNormOptions = {},
  ) {
    super();
    this.momentum = options.momentum ?? 0.1;
    const { affine = true } = options;
    this.weight = affine ? this.parameter('weight', [features], ONE) : undefined;
    this.bias = affine ? this.parameter('bias', [features], ZERO) : undefined;
    this.runningMean = this.buffer('running_mean', [features], ZERO);
    this.runningVar = this.buffer('running_var', [features], ONE);
  }

  forward(tape: Tape, x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, momentum } = this;
    const { eps = 1e-5, activation, slope } = this.options;
    return tape.apply(batchNorm, [x, weight?.tensor, bias?.tensor, runningMean.tensor, runningVar.tensor], {
      ...(activation && { activation }),
      ...(slope !== undefined && { slope }),
      training: this.training,
      momentum,
      eps,
    });
  }
}

/** indices [N] (i32) -> [N, width], times a factor of that shape if there is one. */
export class Embedding extends Module {
  private readonly weight: Parameter;

  constructor(count: number, width: number, init: Init = { kind: 'normal', deviation: 1 }) {
    super();
    this.weight = this.parameter('weight', [count, width], init);
  }

  forward(tape: Tape, indices: Tensor, factor?: Tensor): Tensor {
    return tape.apply(embedding, [this.weight.tensor, indices, factor], {});
  }
}

/** In training, each value is 0 with probability `p`, and 1 / (1 - p) as large else. */
export class Dropout extends Layer {
  constructor(private readonly p: number) {
    super();
  }

  forward(tape: Tape, x: Tensor): Tensor {
    if (!this.training || this.p === 0) return x;
    return tape.apply(dropout, [x], { p: this.p, training: true, ...tape.draw() });
  }
}
