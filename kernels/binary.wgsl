// Elementwise functions of two tensors of one shape, four values at a time.
//
//   y[i] = activation(f(a[i], b[i]))      OP: lib/binary.wgsl
//
// Host guarantees: tensors are padded to whole vec4s; what is computed in the padding is never read.

struct Params {
  vectors: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> a: array<A>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.vectors) {
    y[i] = Y(activate4(f(vec4f(a[i]), vec4f(b[i])), p.slope));
  }
}
