// Nearest-neighbour upsampling to twice the size, for rows of whole pairs: see upsample_nearest.wgsl.
//
//   y[line, 2 i + (0, 1), 4 k + (0..3)] = a a b b      for the k-th pair (a, b) of line i of x
//
// x [lines, 2 pairs], y [2 lines, pairs] in vec4s. One invocation per pair writes two whole vec4s: on a processor a store of
// four values costs little more than one of one.

struct Params {
  size: u32,
  pairs: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let line = i / p.pairs;
  let a = x[2u * i];
  let b = x[2u * i + 1u];
  let value = Y(vec4(a, a, b, b));
  // The pair's place in the first of its two lines: those of all lines before it come twice.
  let at = i + line * p.pairs;
  y[at] = value;
  y[at + p.pairs] = value;
}
