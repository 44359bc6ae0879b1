/** The float64 oracles, by family; `oracles` has those of single ops by the op's name. */

import { cbam } from './attention.js';
import { conv2d, convTranspose2d } from './convolution.js';
import { dynamicConv2d } from './dynamicConv2d.js';
import {
  add,
  div,
  dropout,
  leakyRelu,
  mul,
  relu,
  relu6,
  scaledHardSigmoid,
  sigmoid,
  softplus,
  sub,
  tanh,
} from './elementwise.js';
import { bceWithLogits, crossEntropy } from './loss.js';
import { linear, matmul } from './matmul.js';
import { discriminator, generator } from './networks.js';
import { batchNorm, modulate } from './normalization.js';
import { adaptiveAvgPool2d, avgPool2d, maxPool2d, upsampleConv2d, upsampleNearest } from './pooling.js';
import { max, mean, sum } from './reduce.js';
import { concat, embedding, permute, reshape, slice } from './shape.js';
import { spectralNorm } from './spectralNorm.js';
import { spectrogramAugment } from './spectrogramAugment.js';
import { cwt } from './wavelet.js';

export * from './array.js';
export * from './attention.js';
export * from './convolution.js';
export * from './dynamicConv2d.js';
export * from './elementwise.js';
export * from './fft.js';
export * from './finiteDifference.js';
export * from './loss.js';
export * from './matmul.js';
export * from './motherWavelet.js';
export * from './networks.js';
export * from './normalization.js';
export * from './optimizers.js';
export * from './pooling.js';
export * from './random.js';
export * from './reduce.js';
export * from './scalogram.js';
export * from './shape.js';
export * from './spectralNorm.js';
export * from './spectrogramAugment.js';
export * from './state.js';
export * from './stft.js';
export * from './wavelet.js';

/** Oracles of single ops by the name that the op has in files: (inputs, attrs) -> outputs. */
export const oracles = {
  adaptive_avg_pool2d: adaptiveAvgPool2d,
  add,
  avg_pool2d: avgPool2d,
  batch_norm: batchNorm,
  bce_with_logits: bceWithLogits,
  concat,
  conv2d,
  conv_transpose2d: convTranspose2d,
  cross_entropy: crossEntropy,
  cwt,
  div,
  dropout,
  embedding,
  leaky_relu: leakyRelu,
  linear,
  matmul,
  max,
  max_pool2d: maxPool2d,
  mean,
  modulate,
  mul,
  permute,
  relu,
  relu6,
  reshape,
  scaled_hard_sigmoid: scaledHardSigmoid,
  sigmoid,
  slice,
  softplus,
  spectral_norm: spectralNorm,
  spectrogram_augment: spectrogramAugment,
  sub,
  sum,
  tanh,
  upsample_conv2d: upsampleConv2d,
  upsample_nearest: upsampleNearest,
};

/** Oracles of modules by name: (inputs, state by state_dict names, attrs) -> outputs and `after.<buffer>`. */
export const moduleOracles = { cbam, discriminator, dynamic_conv2d: dynamicConv2d, generator };
