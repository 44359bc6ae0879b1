/** The registry: every op, by its name. To add one, write its kernel and its file and name it here. */
import { leakyRelu, relu, relu6, scaledHardSigmoid, sigmoid, softplus, tanh } from './activations.js';
import { batchNorm } from './batchNorm.js';
import { cast } from './cast.js';
import { cbam } from './cbam.js';
import { conv2d, convTranspose2d } from './conv2d.js';
import type { Op } from './define.js';
import { dropout } from './dropout.js';
import { add, div, mul, sub } from './elementwise.js';
import { embedding } from './embedding.js';
import { bceWithLogits, crossEntropy } from './loss.js';
import { linear, matmul } from './matmul.js';
import { modulate } from './modulate.js';
import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from './pooling.js';
import { normal, uniform } from './random.js';
import { max, mean, sum } from './reduce.js';
import { concat, permute, reshape, slice } from './shape.js';
import { spectralNorm } from './spectralNorm.js';
import { spectrogramAugment } from './spectrogramAugment.js';
import { upsampleNearest } from './upsample.js';
import { upsampleConv2d } from './upsampleConv2d.js';

const all = [
  conv2d,
  convTranspose2d,
  upsampleConv2d,
  linear,
  matmul,
  batchNorm,
  modulate,
  spectralNorm,
  relu,
  relu6,
  leakyRelu,
  sigmoid,
  tanh,
  softplus,
  scaledHardSigmoid,
  add,
  sub,
  mul,
  div,
  sum,
  mean,
  max,
  upsampleNearest,
  cast,
  concat,
  reshape,
  permute,
  slice,
  embedding,
  crossEntropy,
  bceWithLogits,
  maxPool2d,
  avgPool2d,
  adaptiveAvgPool2d,
  uniform,
  normal,
  dropout,
  spectrogramAugment,
  cbam,
];

/** All ops. Each record's types tie its inputs to its attributes; a list of many ops cannot say so. */
export const ops: readonly Op[] = all as unknown as readonly Op[];

export const opByName: ReadonlyMap<string, Op> = new Map(ops.map((op) => [op.name, op]));
