import { type Array64, checkSame, type Inputs, make, required } from './array.js';

export interface CrossEntropyAttrs {
  /** Share of the target's probability that is spread evenly over all classes. */
  labelSmoothing?: number;
}

/**
 * [logits [N, K], labels [N], weights [N]?] -> loss [], the mean over the batch (with weights: the sum of the weight times) of
 * -sum over k of q_k log softmax(logits)_k, with q_k = (1 - s) [k = label] + s / K and s the label smoothing.
 */
export function crossEntropy(inputs: Inputs, { labelSmoothing = 0 }: CrossEntropyAttrs = {}): { loss: Array64 } {
  const [logits, labels] = required(inputs, 'logits', 'labels');
  const weights = inputs[2];
  const [batch, classes] = logits.shape;
  checkSame('rows of logits and labels', [batch], labels.shape);
  if (weights) checkSame('rows of logits and weights', [batch], weights.shape);
  let total = 0;
  for (let n = 0; n < batch; n++) {
    const row = logits.data.subarray(n * classes, (n + 1) * classes);
    if (!(labels.data[n] >= 0 && labels.data[n] < classes)) {
      throw new Error(`label ${labels.data[n]} at position ${n} is not one of ${classes} classes`);
    }
    // Subtracting the largest logit keeps e^logit finite.
    const largest = row.reduce((a, b) => Math.max(a, b));
    const logSum = largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    row.forEach((logit, k) => {
      const target = (k === labels.data[n] ? 1 - labelSmoothing : 0) + labelSmoothing / classes;
      // What has no probability counts nothing, however impossible it is held to be.
      if (target > 0) total += (weights?.data[n] ?? 1 / batch) * target * (logSum - logit);
    });
  }
  return { loss: make([], [total]) };
}

/**
 * [logits, targets in 0..1, of one shape] -> loss [], the mean of
 * -(t log sigmoid(x) + (1 - t) log(1 - sigmoid(x))) = max(x, 0) - x t + log(1 + e^-|x|).
 */
export function bceWithLogits(inputs: Inputs): { loss: Array64 } {
  const [logits, targets] = required(inputs, 'logits', 'targets');
  checkSame('shapes of logits and targets', logits.shape, targets.shape);
  let total = 0;
  logits.data.forEach((x, i) => {
    total += Math.max(x, 0) - x * targets.data[i] + Math.log1p(Math.exp(-Math.abs(x)));
  });
  return { loss: make([], [total / logits.data.length]) };
}
