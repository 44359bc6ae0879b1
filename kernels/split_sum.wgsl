// The second pass of a GEMM whose sum over k was split: adds the parts in fixed order, then bias and activation.
//
//   y[i] = activation(bias[(i / bias_stride) mod channels] + sum over s of parts[s, i])
//
// parts [splits, size], y [size], bias [channels] (bound always, read if BIAS). One invocation per element.

struct Params {
  size: u32,
  splits: u32,
  channels: u32,
  bias_stride: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<BIASES>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  var sum = 0.0;
  for (var s = 0u; s < p.splits; s++) {
    sum += parts[s * p.size + i];
  }
  if (BIAS) {
    sum += f32(bias[(i / p.bias_stride) % p.channels]);
  }
  y[i] = Y(activate(sum, p.slope));
}
