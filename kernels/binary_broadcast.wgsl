// Elementwise functions of two tensors that are broadcast to one shape.
//
//   y[i] = activation(f(a[i . a], b[i . b]))      OP: lib/binary.wgsl
//
// y is contiguous, of extent0 x ... x extent3; a stride of 0 repeats. One invocation per element; extent3 is the innermost.
// Only the last RANK extents differ from 1: for the others no division is spent.

struct Params {
  size: u32,
  extent0: u32,
  extent1: u32,
  extent2: u32,
  extent3: u32,
  a0: u32,
  a1: u32,
  a2: u32,
  a3: u32,
  b0: u32,
  b1: u32,
  b2: u32,
  b3: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> a: array<A>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let r3 = select(0u, i / p.extent3, RANK > 1u);
  let r2 = select(0u, r3 / p.extent2, RANK > 2u);
  let r1 = select(0u, r2 / p.extent1, RANK > 3u);
  let index = vec4u(r1, r2 - r1 * p.extent1, r3 - r2 * p.extent2, i - r3 * p.extent3);
  let at_a = index * vec4u(p.a0, p.a1, p.a2, p.a3);
  let at_b = index * vec4u(p.b0, p.b1, p.b2, p.b3);
  let j = at_a.x + at_a.y + at_a.z + at_a.w;
  let k = at_b.x + at_b.y + at_b.z + at_b.w;
  y[i] = Y(activate(f(vec4f(f32(a[j])), vec4f(f32(b[k]))).x, p.slope));
}
