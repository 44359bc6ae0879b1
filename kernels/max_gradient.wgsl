// Gradient of the maximum over dimensions: shared evenly by all that reach it, as PyTorch's amax does.
//
//   gx[i] = gy[o] / ties[o] if x[i] = y[o] else 0,   o = i . stride
//
// x, gx contiguous, of extent0 x ... x extent3; the strides walk y, gy and ties, 0 in reduced dimensions.

struct Params {
  size: u32,
  extent1: u32,
  extent2: u32,
  extent3: u32,
  stride0: u32,
  stride1: u32,
  stride2: u32,
  stride3: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> y: array<Y>;
@group(0) @binding(2) var<storage, read> ties: array<f32>;
@group(0) @binding(3) var<storage, read> gy: array<GY>;
@group(0) @binding(4) var<storage, read_write> gx: array<GX>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let r3 = i / p.extent3;
  let r2 = r3 / p.extent2;
  let r1 = r2 / p.extent1;
  let o = r1 * p.stride0 + (r2 - r1 * p.extent1) * p.stride1 + (r3 - r2 * p.extent2) * p.stride2
    + (i - r3 * p.extent3) * p.stride3;
  gx[i] = GX(select(0.0, f32(gy[o]) / ties[o], f32(x[i]) == f32(y[o])));
}
