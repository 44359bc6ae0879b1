// batch_norm where a channel is too long for one workgroup, last dispatch: normalises with known statistics.
//
//   y = activation((x - mean) / sqrt(variance + eps) * weight[c] + bias[c])
//
// weight and bias, bound always, are read if AFFINE; otherwise they are 1 and 0.
// x, y [N, C, S] in Lanes; weight, bias [C]; statistics [C]: see lib/batch_norm.wgsl.
// 2^threads_log2 invocations share a plane (one image's channel), so that it is found without a division per item.

struct Params {
  planes: u32,
  channels: u32,
  plane: u32,
  threads_log2: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let thread = id.y * groups.x * 64u + id.x;
  let plane = thread >> p.threads_log2;
  if (plane >= p.planes) {
    return;
  }
  let channel = plane % p.channels;
  let own = statistics[channel];
  var scale = 1.0;
  var offset = 0.0;
  if (AFFINE) {
    scale = weight[channel];
    offset = bias[channel];
  }
  let threads = 1u << p.threads_log2;
  let end = (plane + 1u) * p.plane;
  for (var i = plane * p.plane + (thread & (threads - 1u)); i < end; i += threads) {
    y[i] = Y(narrow(activate4(widen(normalised(Lanes(x[i]), own) * scale + offset), p.slope)));
  }
}
