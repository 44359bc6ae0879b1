// The weight by which a transposed convolution of stride 2 doubles an image and convolves it (src/ops/upsampleConv2d.ts).
//
//   y[c, o, i, j] = sum over a, b in (0, 1) of x[o, c, 2 - i + a, 2 - j + b], with x = 0 outside
//
// x [O, C, 3, 3] -> y [C, O, 4, 4], in vec4s. One invocation per pair of channels.

struct Params {
  pairs: u32,
  inputs: u32,
  outputs: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

/// Three neighbouring weights spread over four: each value of y with the one before it.
fn spread(first: u32) -> vec4f {
  let row = vec3f(f32(x[first]), f32(x[first + 1u]), f32(x[first + 2u]));
  return vec4f(row.z, row.z + row.y, row.y + row.x, row.x);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let pair = id.y * groups.x * 64u + id.x;
  if (pair >= p.pairs) {
    return;
  }
  let first = 9u * ((pair % p.outputs) * p.inputs + pair / p.outputs);
  let top = spread(first);
  let middle = spread(first + 3u);
  let bottom = spread(first + 6u);
  y[4u * pair] = Y(bottom);
  y[4u * pair + 1u] = Y(bottom + middle);
  y[4u * pair + 2u] = Y(middle + top);
  y[4u * pair + 3u] = Y(top);
}
