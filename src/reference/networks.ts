/** The two networks of DR-ACGAN and their losses, with the parameter names of their PyTorch modules. */
import { type Array64, type Inputs, make, type Outputs, required, sizeOf } from './array.js';
import { cbamInScope } from './attention.js';
import { conv2d } from './convolution.js';
import { dynamicConv2dInScope } from './dynamicConv2d.js';
import { type ActivationAttrs, activate, add, mul } from './elementwise.js';
import { crossEntropy } from './loss.js';
import { linear } from './matmul.js';
import { modulate } from './normalization.js';
import { upsampleNearest } from './pooling.js';
import { mean } from './reduce.js';
import { embedding, reshape } from './shape.js';
import { spectralNorm } from './spectralNorm.js';
import {
  batchNormLayer,
  conv2dLayer,
  convTranspose2dLayer,
  entry,
  inside,
  linearLayer,
  type ModuleAttrs,
  rootScope,
  type Scope,
  type State,
  update,
} from './state.js';

const LEAKY = { activation: 'leaky_relu', slope: 0.2 } as const;

export interface GeneratorAttrs extends ModuleAttrs {
  /** Side of the smallest feature map. */
  base: number;
  /** Channels at each resolution, from base x base to the image's; each block doubles the side. */
  widths: readonly number[];
  /** Whether blocks have CBAM, and a skip connection. Default true. */
  attention?: boolean;
  residual?: boolean;
  /** How a block doubles: by a transposed convolution (default), or by repeated pixels before a convolution. */
  upsampling?: 'transposed' | 'nearest';
  /** Whether conv1 and conv2 are dynamic. Default false. */
  dynamic?: boolean;
  /** Whether bn1 to bn3 scale and shift by class: their parts are bn, and embed [classes, 2 C]. Default false. */
  conditionalNorm?: boolean;
}

/**
 * Two 3x3 convolutions and attention in a skip connection, then a transposed convolution that doubles the side:
 * x [N, C, H, W] -> [N, O, 2H, 2W].
 */
function residualUpBlock(scope: Scope, x: Array64, labels: Array64, attrs: GeneratorAttrs): Array64 {
  const { attention = true, residual = true, upsampling = 'transposed', dynamic = false } = attrs;
  const convolve = (name: string, input: Array64): Array64 =>
    dynamic
      ? dynamicConv2dInScope(inside(scope, name), input, { stride: 1, padding: 1, pool: 2 })
      : conv2dLayer(scope, name, input, { padding: [1, 1] });
  const norm = (name: string, input: Array64, activation: ActivationAttrs = {}): Array64 =>
    attrs.conditionalNorm
      ? conditionalNorm(inside(scope, name), input, labels, activation)
      : batchNormLayer(scope, name, input, activation);
  const first = norm('bn1', convolve('conv1', x), LEAKY);
  const second = norm('bn2', convolve('conv2', first));
  const attended = attention ? cbamInScope(inside(scope, 'cbam'), second) : second;
  const sum = activate(residual ? add([attended, x]).y : attended, LEAKY);
  const doubled =
    upsampling === 'nearest'
      ? conv2dLayer(scope, 'up', upsampleNearest([sum], { scale: 2 }).y, { padding: [1, 1] })
      : convTranspose2dLayer(scope, 'up', sum, { stride: [2, 2], padding: [1, 1] });
  return norm('bn3', doubled, LEAKY);
}

/** Batch norm without weights, then each image's class's row of embed [classes, 2 C]: gains, then biases. */
function conditionalNorm(scope: Scope, x: Array64, labels: Array64, activation: ActivationAttrs): Array64 {
  const factors = embedding([entry(scope, 'embed.weight'), labels]).y;
  return activate(modulate([batchNormLayer(scope, 'bn', x), factors]).y, activation);
}

/**
 * [z [N, latent], labels [N]] -> image [N, channels, size, size] in (-1, 1), size = base 2^(widths - 1), and in
 * training the buffers after the call. The latent vector times the label's embedding goes through fc, one
 * residualUpBlock for each doubling, and to_image with tanh.
 */
export function generator(inputs: Inputs, state: State, attrs: GeneratorAttrs): Outputs {
  const [z, labels] = required(inputs, 'z', 'labels');
  const { base, widths } = attrs;
  const scope = rootScope(state, attrs);
  const conditioned = mul([z, embedding([entry(scope, 'embed.weight'), labels]).y]).y;
  const start = linearLayer(scope, 'fc', conditioned);
  let x = reshape([start], { shape: [z.shape[0], widths[0], base, base] }).y;
  for (let block = 0; block < widths.length - 1; block++) {
    x = residualUpBlock(inside(scope, `blocks.${block}`), x, labels, attrs);
  }
  const image = conv2dLayer(scope, 'to_image', x, { padding: [1, 1], activation: 'tanh' });
  return { image, ...scope.after };
}

/** The layer's weight over its spectral norm, after one power iteration in training. State: layer.weight, u, v. */
function normalizedWeight(scope: Scope): Array64 {
  const { weight, u, v } = spectralNorm([entry(scope, 'layer.weight'), entry(scope, 'u'), entry(scope, 'v')], {
    iterations: scope.training ? 1 : 0,
  });
  update(scope, 'u', u);
  update(scope, 'v', v);
  return weight;
}

/** Strides of the discriminator's convolutions: three of them halve the image. */
const STRIDES = [1, 2, 2, 2];

/**
 * [x [N, channels, size, size]] -> adversarial [N], the logit of being real; classes [N, K], the class logits; and in
 * training the power iteration's vectors after the call. Four 3x3 convolutions with leaky ReLU and two linear heads,
 * every weight spectrally normalised.
 *
 * The gradient is defined with u and v constant: it is that of the evaluation mode at the u and v after the call.
 */
export function discriminator(inputs: Inputs, state: State, attrs: ModuleAttrs): Outputs {
  let [x] = required(inputs, 'x');
  const scope = rootScope(state, attrs);
  STRIDES.forEach((stride, i) => {
    const layer = inside(scope, `convs.${i}`);
    const weight = normalizedWeight(layer);
    x = conv2d([x, weight, entry(layer, 'layer.bias')], { stride: [stride, stride], padding: [1, 1], ...LEAKY }).y;
  });
  const features = reshape([x], { shape: [x.shape[0], sizeOf(x.shape.slice(1))] }).y;
  const head = (name: string) => {
    const layer = inside(scope, name);
    return linear([features, normalizedWeight(layer), entry(layer, 'layer.bias')]).y;
  };
  const adversarial = reshape([head('adversarial')], { shape: [x.shape[0]] }).y;
  return { adversarial, classes: head('classifier'), ...scope.after };
}

export interface GeneratorLossAttrs {
  /** bce: softplus(-+logit); hinge: relu(1 -+ logit) for the discriminator, -logit for the generator. */
  adversarial?: 'bce' | 'hinge';
  /** ac: K classes. adc: 2 K, of real images and then of generated ones (Hou et al. 2022). */
  classHead?: 'ac' | 'adc';
}

export interface DiscriminatorLossAttrs extends GeneratorLossAttrs {
  /** bce: the probability that the discriminator is to give real images; label smoothing where below 1. */
  realTarget?: number;
  /** Whether the discriminator also learns the classes of generated images; with adc it always does. */
  classOnFakes?: boolean;
}

/** The mean over the batch of the loss of telling logits [N] to be real (sign 1) or fake (sign -1). */
function discriminatorSourceLoss(logits: Array64, sign: 1 | -1, adversarial: 'bce' | 'hinge'): number {
  const margins = logits.data.map((logit) => (adversarial === 'bce' ? -sign * logit : 1 - sign * logit));
  const activation = adversarial === 'bce' ? 'softplus' : 'relu';
  return mean([activate(make(logits.shape, margins), { activation })]).y.data[0];
}

/** Cross entropy with labels that are K higher: those of generated images where the 2 K logits have such. */
function asGenerated(logits: Array64, labels: Array64): number {
  const classes = logits.shape[1] / 2;
  return crossEntropy([
    logits,
    make(
      labels.shape,
      Float64Array.from(labels.data, (k) => k + classes),
    ),
  ]).loss.data[0];
}

/**
 * Auxiliary-classifier loss (Odena et al. 2017) of the discriminator.
 * [real logit [N], real classes [N, K or 2 K], real labels [N], fake logit, fake classes, fake labels] -> loss [].
 */
export function discriminatorLoss(inputs: Inputs, attrs: DiscriminatorLossAttrs = {}): { loss: Array64 } {
  const [realLogit, realClasses, realLabels, fakeLogit, fakeClasses, fakeLabels] = required(
    inputs,
    'real logit',
    'real classes',
    'real labels',
    'fake logit',
    'fake classes',
    'fake labels',
  );
  const { adversarial = 'bce', realTarget = 1, classHead = 'ac', classOnFakes = true } = attrs;
  let loss = realTarget * discriminatorSourceLoss(realLogit, 1, adversarial);
  if (realTarget < 1) loss += (1 - realTarget) * discriminatorSourceLoss(realLogit, -1, adversarial);
  loss += discriminatorSourceLoss(fakeLogit, -1, adversarial);
  loss += crossEntropy([realClasses, realLabels]).loss.data[0];
  if (classHead === 'adc') loss += asGenerated(fakeClasses, fakeLabels);
  else if (classOnFakes) loss += crossEntropy([fakeClasses, fakeLabels]).loss.data[0];
  return { loss: make([], [loss]) };
}

/** The generator's loss. [fake logit [N], fake classes [N, K or 2 K], fake labels [N]] -> loss []. */
export function generatorLoss(inputs: Inputs, attrs: GeneratorLossAttrs = {}): { loss: Array64 } {
  const [logit, classes, labels] = required(inputs, 'fake logit', 'fake classes', 'fake labels');
  const { adversarial = 'bce', classHead = 'ac' } = attrs;
  const source = adversarial === 'bce' ? discriminatorSourceLoss(logit, 1, 'bce') : -mean([logit]).y.data[0];
  const away = classHead === 'adc' ? asGenerated(classes, labels) : 0;
  return { loss: make([], [source + crossEntropy([classes, labels]).loss.data[0] - away]) };
}
