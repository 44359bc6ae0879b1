// modulate: each plane scaled and shifted by factors of its own.
//
//   y[n, c, s] = activation(factors[n, c] x[n, c, s] + factors[n, C + c])
//
// x, y [N, C, S] in Lanes; factors [N, 2 C].
// 2^threads_log2 invocations share a plane (one image's channel), so that it is found without a division per item.

struct Params {
  planes: u32,
  channels: u32,
  plane: u32,
  threads_log2: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let thread = id.y * groups.x * 64u + id.x;
  let plane = thread >> p.threads_log2;
  if (plane >= p.planes) {
    return;
  }
  // Planes before those of image n are n C, and factors 2 n C.
  let first = plane + plane / p.channels * p.channels;
  let scale = factors[first];
  let offset = factors[first + p.channels];
  let threads = 1u << p.threads_log2;
  let end = (plane + 1u) * p.plane;
  for (var i = plane * p.plane + (thread & (threads - 1u)); i < end; i += threads) {
    y[i] = Y(narrow(activate4(widen(Lanes(x[i]) * scale + offset), p.slope)));
  }
}
