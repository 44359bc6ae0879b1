// Elementwise functions of a tensor and one value for each of its rows, such as a factor for each channel of each image.
//
//   y[r, i] = activation(f(a[r, i], b[r]))      OP: lib/binary.wgsl
//
// a and y [R, width], b [R]. One invocation per four neighbouring values.
// Host guarantees: width is a multiple of 4.

struct Params {
  vectors: u32,
  row_vectors: u32,
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
    y[i] = Y(activate4(f(vec4f(a[i]), vec4f(f32(b[i / p.row_vectors]))), p.slope));
  }
}
