// Mean over the batch of the cross-entropy of softmax(logits) with smoothed labels.
//
//   loss = sum over n, k of w[n] q[n, k] (-log softmax(x[n])[k]),   q[n, k] = (1 - s) [k = label[n]] + s / K
//
// where w is 1/N, or with WEIGHTED the weight of the row.
//
// With m the greatest logit of a row and S = sum over k of exp(x[k] - m), -log softmax(x)[k] = log S + (m - x[k]): nothing
// overflows, and huge logits lose no digits. As q sums to 1, log S comes once a row.
//
// logits [N, K], labels [N], weights [N] (else not read), loss [], normalizer [N] of (m, S, the row's own loss) for the
// gradients.
// One workgroup: each invocation takes every 64th row, then the rows' losses are added in a tree.
// A label outside 0 to K - 1 is taken for the nearest class, so that nothing outside the row is read.

struct Params {
  rows: u32,
  classes: u32,
  smoothing: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> normalizer: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var total = 0.0;
  for (var n = local; n < p.rows; n += 64u) {
    let row = n * p.classes;
    var largest = logits[row];
    for (var k = 1u; k < p.classes; k++) {
      largest = max(largest, logits[row + k]);
    }
    var exponentials = 0.0;
    var depths = 0.0;
    for (var k = 0u; k < p.classes; k++) {
      let depth = largest - logits[row + k];
      exponentials += exp(-depth);
      // Smoothed or not: 0 times the depth of a logit of -inf would be NaN.
      depths += select(0.0, depth, p.smoothing > 0.0);
    }
    let label = u32(clamp(labels[n], 0, i32(p.classes) - 1));
    let surprise = log(exponentials) + (1.0 - p.smoothing) * (largest - logits[row + label])
      + p.smoothing / f32(p.classes) * depths;
    normalizer[n] = vec4f(largest, exponentials, surprise, 0.0);
    if (WEIGHTED) {
      total += weights[n] * surprise;
    } else {
      total += surprise;
    }
  }
  total = team_sum(local, total);
  if (local == 0u) {
    loss[0] = select(total / f32(p.rows), total, WEIGHTED);
  }
}
