// batch_norm's backward pass where a channel is too long for one workgroup, last dispatch: gx from known sums.
// The formulas are in lib/batch_norm_gradient.wgsl.
//
// x, y, gy, gx [N, C, S] in Lanes; statistics [C] as forward left them; weight, gweight, gbias [C].
// weight is bound always and read if AFFINE, otherwise it is 1.
// 2^threads_log2 invocations share a plane (one image's channel), so that it is found without a division per item.

struct Params {
  planes: u32,
  channels: u32,
  plane: u32,
  threads_log2: u32,
  inverse_count: f32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> y: array<Y>;
@group(0) @binding(2) var<storage, read> gy: array<GY>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> gweight: array<f32>;
@group(0) @binding(6) var<storage, read> gbias: array<f32>;
@group(0) @binding(7) var<storage, read_write> gx: array<GX>;
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
  var own_weight = 1.0;
  if (AFFINE) {
    own_weight = weight[channel];
  }
  let means = p.inverse_count * vec2f(gbias[channel], gweight[channel]);
  let threads = 1u << p.threads_log2;
  let end = (plane + 1u) * p.plane;
  for (var i = plane * p.plane + (thread & (threads - 1u)); i < end; i += threads) {
    gx[i] = GX(input_gradient(i, own, own_weight, means));
  }
}
