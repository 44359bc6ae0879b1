import { type Array64, checkSame, type Inputs, make, required, sizeOf } from './array.js';
import { type ActivationAttrs, activate } from './elementwise.js';

export interface BatchNormAttrs extends ActivationAttrs {
  /** Normalise with the batch's statistics and update the running ones; otherwise use the running ones. */
  training: boolean;
  /** Weight of the batch in the running statistics. */
  momentum?: number;
  eps?: number;
}

/**
 * [x [N, C, ...], weight [C] or none, bias [C] or none, runningMean [C], runningVar [C]] -> y, runningMean, runningVar, where x has
 * rank 2 to 4 and statistics are taken over all dimensions but C:
 *
 *   y = (x - mean) / sqrt(var + eps) * weight + bias, then the activation;
 *   running = (1 - momentum) running + momentum batch, in training only.
 *
 * Without weight and bias these are 1 and 0.
 *
 * As in PyTorch, y uses the biased variance (over m values) and the running average the unbiased one (over m - 1).
 */
export function batchNorm(
  inputs: Inputs,
  attrs: BatchNormAttrs,
): { y: Array64; runningMean: Array64; runningVar: Array64 } {
  const [x, oldMean, oldVar] = required([inputs[0], inputs[3], inputs[4]], 'x', 'runningMean', 'runningVar');
  const { training, momentum = 0.1, eps = 1e-5 } = attrs;
  const [batch, channels] = x.shape;
  const weight = inputs[1] ?? make([channels], new Float64Array(channels).fill(1));
  const bias = inputs[2] ?? make([channels]);
  for (const perChannel of [weight, bias, oldMean, oldVar]) {
    checkSame('channels of x and of the parameters', [channels], perChannel.shape);
  }
  const inner = sizeOf(x.shape.slice(2));
  const count = batch * inner;
  if (training && count < 2) throw new Error(`training needs more than one value a channel, not x of [${x.shape}]`);

  const y = make(x.shape);
  const runningMean = make(oldMean.shape, oldMean.data);
  const runningVar = make(oldVar.shape, oldVar.data);
  for (let c = 0; c < channels; c++) {
    let mean = oldMean.data[c];
    let variance = oldVar.data[c];
    if (training) {
      let sum = 0;
      for (let n = 0; n < batch; n++) {
        for (let i = 0; i < inner; i++) sum += x.data[(n * channels + c) * inner + i];
      }
      mean = sum / count;
      let squares = 0;
      for (let n = 0; n < batch; n++) {
        for (let i = 0; i < inner; i++) squares += (x.data[(n * channels + c) * inner + i] - mean) ** 2;
      }
      variance = squares / count;
      runningMean.data[c] = (1 - momentum) * oldMean.data[c] + momentum * mean;
      runningVar.data[c] = (1 - momentum) * oldVar.data[c] + (momentum * squares) / (count - 1);
    }
    const scale = weight.data[c] / Math.sqrt(variance + eps);
    for (let n = 0; n < batch; n++) {
      for (let i = 0; i < inner; i++) {
        const position = (n * channels + c) * inner + i;
        y.data[position] = (x.data[position] - mean) * scale + bias.data[c];
      }
    }
  }
  return { y: activate(y, attrs), runningMean, runningVar };
}

/** [x [N, C, ...], factors [N, 2 C]] -> y, y[n, c] = factors[n, c] x[n, c] + factors[n, C + c] (FiLM, Perez et al. 2018). */
export function modulate(inputs: Inputs): { y: Array64 } {
  const [x, factors] = required(inputs, 'x', 'factors');
  const [batch, channels] = x.shape;
  checkSame('factors and two for each channel of x', [batch, 2 * channels], factors.shape);
  const inner = sizeOf(x.shape.slice(2));
  const y = make(x.shape);
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const scale = factors.data[2 * n * channels + c];
      const offset = factors.data[(2 * n + 1) * channels + c];
      for (let i = 0; i < inner; i++) {
        const position = (n * channels + c) * inner + i;
        y.data[position] = scale * x.data[position] + offset;
      }
    }
  }
  return { y };
}
