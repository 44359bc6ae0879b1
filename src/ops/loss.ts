/** cross_entropy and bce_with_logits: means over the batch, each one dispatch forward and one back. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { type Shape, sameShape, sizeOf, type Tensor } from '../memory/tensor.js';
import * as oracle from '../reference/loss.js';
import { activationCode } from './activation.js';
import { type Case, defineOp, ranked, shapeError } from './define.js';
import { team } from './team.js';

/** One team of a whole workgroup adds up the loss, value by value. */
const ONE_TEAM = team(64);

export interface CrossEntropyAttrs {
  /** Share of the target's probability that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
}

const rowParams = ([rows, classes]: Shape, { labelSmoothing = 0 }: CrossEntropyAttrs) => ({
  rows: rows!,
  classes: classes!,
  smoothing: labelSmoothing,
});

export const crossEntropy = defineOp<CrossEntropyAttrs, readonly [Tensor, Tensor, Tensor?]>({
  name: 'cross_entropy',
  summary:
    'logits [N, K], labels i32 [N] from 0 to K - 1, weights [N] -> loss [], the mean of -log softmax(logits) at the label, ' +
    'or with weights the sum of these times the weights',
  inputs: ['logits', 'labels', 'weights?'],
  output: 'loss',
  shape([logits, labels, weights]) {
    const [n] = ranked('cross_entropy', 'logits', logits, 2);
    if (!labels || !sameShape(labels, [n!])) {
      throw shapeError('cross_entropy', 'labels', 'must have one element per row of logits', labels, logits);
    }
    if (weights && !sameShape(weights, [n!])) {
      throw shapeError('cross_entropy', 'weights', 'must have one element per row of logits', weights, logits);
    }
    return [];
  },
  forward(e, [logits, labels, weights], attrs) {
    const y = e.empty([]);
    const params = rowParams(logits.shape, attrs);
    const normalizer = e.empty([params.rows, 4]);
    e.dispatch({
      ...ONE_TEAM,
      file: 'cross_entropy',
      constants: { ...ONE_TEAM.constants, WEIGHTED: weights !== undefined },
      tensors: [logits, labels, weights ?? e.empty([1]), y, normalizer],
      params,
      grid: [1],
    });
    return { y, normalizer };
  },
  saves: ['logits', 'labels', 'weights', 'normalizer'],
  backward(e, { logits, labels, weights, normalizer }, gy, attrs, [wantLogits, , wantWeights]) {
    const gx = wantLogits?.();
    if (gx) {
      e.dispatch({
        file: 'cross_entropy_gradient',
        constants: { WEIGHTED: weights !== undefined },
        tensors: [logits!, labels!, weights ?? e.empty([1]), normalizer!, gy, gx],
        params: rowParams(gx.shape, attrs),
        grid: gridFor(sizeOf(gx.shape), 64),
      });
    }
    const gw = wantWeights?.();
    if (gw) {
      const rows = sizeOf(gw.shape);
      e.dispatch({
        file: 'cross_entropy_weight_gradient',
        tensors: [normalizer!, gy, gw],
        params: { rows },
        grid: gridFor(rows, 64),
      });
    }
    return [gx, undefined, gw];
  },
  reference: oracle.crossEntropy,
  flops: ([logits]) => 4 * sizeOf(logits!),
  cases: [
    entropy(6, 17),
    entropy(6, 17, 0.1),
    entropy(131, 5, 0.1),
    entropy(3, 1),
    entropy(1, 2),
    entropy(131, 5, 0.1, true),
  ],
  bench: [entropy(32, 17), entropy(256, 1000)],
});

function entropy(rows: number, classes: number, labelSmoothing?: number, weighted = false): Case<CrossEntropyAttrs> {
  return {
    shapes: [[rows, classes], [rows], ...(weighted ? [[rows]] : [])],
    attrs: labelSmoothing === undefined ? {} : { labelSmoothing },
    fill: { labels: { below: classes }, weights: 'positive' },
  };
}

/** Gradient of one of the two inputs, into `g`. */
function bceGradient(e: Engine, input: 0 | 1, logits: Tensor, targets: Tensor, gy: Tensor, g: Tensor): Tensor {
  const size = sizeOf(g.shape);
  e.dispatch({
    file: 'bce_with_logits_gradient',
    uses: ['lib/activation'],
    constants: { WITH_RESPECT_TO: input, ACTIVATION: activationCode({ activation: 'sigmoid' }) },
    tensors: [logits, targets, gy, g],
    params: { size },
    grid: gridFor(size, 64),
  });
  return g;
}

export const bceWithLogits = defineOp<object, readonly [Tensor, Tensor]>({
  name: 'bce_with_logits',
  summary: 'logits and targets in 0..1 of one shape -> loss [], the mean binary cross-entropy of sigmoid(logits)',
  inputs: ['logits', 'targets'],
  output: 'loss',
  shape([logits, targets]) {
    if (!logits || !targets || !sameShape(logits, targets)) {
      throw shapeError('bce_with_logits', 'targets', 'must have the shape of logits', targets, logits);
    }
    return [];
  },
  forward(e, [logits, targets]) {
    const y = e.empty([]);
    e.dispatch({
      file: 'bce_with_logits',
      uses: ['lib/activation', ...ONE_TEAM.uses],
      constants: { ...ONE_TEAM.constants, ACTIVATION: activationCode({ activation: 'softplus' }) },
      tensors: [logits, targets, y],
      params: { size: sizeOf(logits.shape) },
      grid: [1],
    });
    return { y };
  },
  saves: ['logits', 'targets'],
  backward: (e, { logits, targets }, gy, _attrs, want) => [
    want[0] && bceGradient(e, 0, logits!, targets!, gy, want[0]()),
    want[1] && bceGradient(e, 1, logits!, targets!, gy, want[1]()),
  ],
  reference: oracle.bceWithLogits,
  flops: ([logits]) => 6 * sizeOf(logits!),
  cases: [[1], [67], [5, 7]].map(bce),
  bench: [bce([32])],
});

function bce(shape: Shape): Case<object> {
  return { shapes: [shape, shape], attrs: {}, fill: { targets: 'unit' } };
}
