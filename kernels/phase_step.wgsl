// A step of fast Griffin-Lim: the phases of coefficients that run ahead, under the magnitudes that are asked for.
//
//   d = A c / |c|,  c = t + momentum (t - before);  A where c is 0
//
// t, before, d  [n] complex
// magnitude     [n]: A
//
// One invocation per coefficient. Source: Perraudin, Balazs and Sondergaard 2013.

struct Params {
  size: u32,
  momentum: f32,
}

@group(0) @binding(0) var<storage, read> t: array<vec2f>;
@group(0) @binding(1) var<storage, read> before: array<vec2f>;
@group(0) @binding(2) var<storage, read> magnitude: array<f32>;
@group(0) @binding(3) var<storage, read_write> d: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let now = t[i];
  let c = now + p.momentum * (now - before[i]);
  let size = length(c);
  d[i] = magnitude[i] * select(vec2f(1.0, 0.0), c / size, size > 0.0);
}
