// Gradient of spread_weight.wgsl: each weight gets those of the four values that it is part of.
//
//   gx[o, c, i, j] = sum over a, b in (0, 1) of gy[c, o, 2 - i + a, 2 - j + b]
//
// gy [C, O, 4, 4], in vec4s -> gx [O, C, 3, 3]. One invocation per pair of channels.

struct Params {
  pairs: u32,
  inputs: u32,
  outputs: u32,
}

@group(0) @binding(0) var<storage, read> gy: array<GY>;
@group(0) @binding(1) var<storage, read_write> gx: array<GX>;
@group(1) @binding(0) var<uniform> p: Params;

/// A row of gx from the two rows of gy that it is part of.
fn write(first: u32, sum: vec4f) {
  gx[first] = GX(sum.z + sum.w);
  gx[first + 1u] = GX(sum.y + sum.z);
  gx[first + 2u] = GX(sum.x + sum.y);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let pair = id.y * groups.x * 64u + id.x;
  if (pair >= p.pairs) {
    return;
  }
  let first = 4u * ((pair % p.inputs) * p.outputs + pair / p.inputs);
  let upper = vec4f(gy[first + 1u]);
  let lower = vec4f(gy[first + 2u]);
  write(9u * pair, lower + vec4f(gy[first + 3u]));
  write(9u * pair + 3u, upper + lower);
  write(9u * pair + 6u, vec4f(gy[first]) + upper);
}
