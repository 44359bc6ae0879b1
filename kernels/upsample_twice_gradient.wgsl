// Gradient of upsample_twice.wgsl: each pixel of x gets the sum of the four that were made of it.
//
// gy [2 lines, pairs] in vec4s, gx [lines, 2 pairs]. One invocation per pair.

struct Params {
  size: u32,
  pairs: u32,
}

@group(0) @binding(0) var<storage, read> gy: array<GY>;
@group(0) @binding(1) var<storage, read_write> gx: array<GX>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let at = i + i / p.pairs * p.pairs;
  let sum = vec4f(gy[at]) + vec4f(gy[at + p.pairs]);
  gx[2u * i] = GX(sum.x + sum.y);
  gx[2u * i + 1u] = GX(sum.z + sum.w);
}
