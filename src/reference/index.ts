/** The float64 oracles, by family. */

import { cbam } from './attention.js';
import { dynamicConv2d } from './dynamicConv2d.js';
import { discriminator, generator } from './networks.js';

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

/** Oracles of modules by name: (inputs, state by state_dict names, attrs) -> outputs and `after.<buffer>`. */
export const moduleOracles = { cbam, discriminator, dynamic_conv2d: dynamicConv2d, generator };
