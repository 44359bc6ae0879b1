// Gradients of the mean binary cross-entropy with logits.
//
//   WITH_RESPECT_TO 0, the logits x:    g = gy / N (sigmoid(x) - t)
//   WITH_RESPECT_TO 1, the targets t:   g = -gy / N x
//
// logits, targets and g [N], gy []. One invocation per element. ACTIVATION is the sigmoid (lib/activation.wgsl).

struct Params {
  size: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<f32>;
@group(0) @binding(2) var<storage, read> gy: array<f32>;
@group(0) @binding(3) var<storage, read_write> g: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let x = logits[i];
  let scale = gy[0] / f32(p.size);
  if (WITH_RESPECT_TO == 0u) {
    g[i] = scale * (activate(x, 0.0) - targets[i]);
  } else {
    g[i] = -scale * x;
  }
}
