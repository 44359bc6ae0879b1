// Raises the loss scale's overflow if a gradient is infinite or not a number.
//
// gradients are read as bits, four at a time, for compilers may assume that floating-point numbers are finite: an f32 is not
// if its exponent is all ones. One invocation per four values.

struct Params {
  vectors: u32,
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> loss_scale: array<LossScale>;
@group(1) @binding(0) var<uniform> p: Params;

const EXPONENT = vec4u(0x7f800000u);

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.vectors && any((gradients[i] & EXPONENT) == EXPONENT)) {
    atomicOr(&loss_scale[0].overflow, 1u);
  }
}
