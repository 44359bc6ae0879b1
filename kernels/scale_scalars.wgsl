// Four numbers, each times a factor of its own, as one tensor.
//
//   y = (scale0 a, scale1 b, scale2 c, scale3 d)
//
// a, b, c, d [], y [4]. One invocation.

struct Params {
  scale0: f32,
  scale1: f32,
  scale2: f32,
  scale3: f32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> c: array<f32>;
@group(0) @binding(3) var<storage, read> d: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(1)
fn main() {
  y[0] = vec4f(p.scale0 * a[0], p.scale1 * b[0], p.scale2 * c[0], p.scale3 * d[0]);
}
