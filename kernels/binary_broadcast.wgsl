// Elementwise functions of two tensors that are broadcast to one shape.
//
//   y[i] = activation(f(a[i . a], b[i . b]))      OP: 0 add, 1 sub, 2 mul, 3 div, 4 -a / b
//
// y is contiguous, of extent0 x ... x extent3; a stride of 0 repeats. One invocation per element; extent3 is the innermost.

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

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

fn f(a: f32, b: f32) -> f32 {
  switch OP {
    case 0u: { return a + b; }
    case 1u: { return a - b; }
    case 2u: { return a * b; }
    case 3u: { return a / b; }
    default: { return -a / b; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let r3 = i / p.extent3;
  let r2 = r3 / p.extent2;
  let r1 = r2 / p.extent1;
  let i3 = i - r3 * p.extent3;
  let i2 = r3 - r2 * p.extent2;
  let i1 = r2 - r1 * p.extent1;
  let j = r1 * p.a0 + i1 * p.a1 + i2 * p.a2 + i3 * p.a3;
  let k = r1 * p.b0 + i1 * p.b1 + i2 * p.b2 + i3 * p.b3;
  y[i] = activate(f(a[j], b[k]), p.slope);
}
