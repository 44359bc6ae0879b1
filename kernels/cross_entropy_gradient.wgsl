// Gradient of the mean cross-entropy with respect to the logits.
//
//   gx[n, k] = gy w[n] (softmax(x[n])[k] - q[n, k]),   q[n, k] = (1 - s) [k = label[n]] + s / K
//
// where w is 1/N, or with WEIGHTED the weight of the row.
//
// logits and gx [N, K], labels [N], weights [N] (else not read), normalizer [N] of (greatest logit m, sum over k of exp(x[k] - m)), gy [].
// One invocation per logit. Labels are clamped as in the forward pass.

struct Params {
  rows: u32,
  classes: u32,
  smoothing: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> normalizer: array<vec4f>;
@group(0) @binding(4) var<storage, read> gy: array<f32>;
@group(0) @binding(5) var<storage, read_write> gx: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.rows * p.classes) {
    return;
  }
  let n = i / p.classes;
  let label = u32(clamp(labels[n], 0, i32(p.classes) - 1));
  let probability = exp(logits[i] - normalizer[n].x) / normalizer[n].y;
  let wanted = p.smoothing / f32(p.classes) + select(0.0, 1.0 - p.smoothing, i - n * p.classes == label);
  var weight = 1.0 / f32(p.rows);
  if (WEIGHTED) {
    weight = weights[n];
  }
  gx[i] = gy[0] * weight * (probability - wanted);
}
