// Mean of the binary cross-entropy of sigmoid(x) with targets t.
//
//   loss = 1/N sum over i of max(x, 0) - x t + softplus(-|x|),   softplus(x) = log(1 + exp(x))
//
// logits and targets [N], loss []. One workgroup: each invocation takes every 64th element, then a tree adds them.
// ACTIVATION is the softplus (lib/activation.wgsl).

struct Params {
  size: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<f32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var total = 0.0;
  for (var i = local; i < p.size; i += 64u) {
    let x = logits[i];
    total += max(x, 0.0) - x * targets[i] + activate(-abs(x), 0.0);
  }
  total = team_sum(local, total);
  if (local == 0u) {
    loss[0] = total / f32(p.size);
  }
}
