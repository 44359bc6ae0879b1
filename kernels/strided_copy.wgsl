// Copy from one strided walk to another: permute, slice, concat, broadcast, nearest-neighbour upsampling.
//
//   to[to_start + i . to] = scale from[from_start + i . from]      for every index i of extent0 x ... x extent5
//
// Strides count elements; a stride of 0 in `from` repeats. One invocation per index; extent5 is the innermost.

struct Params {
  size: u32,
  from_start: u32,
  to_start: u32,
  scale: f32,
  extent0: u32,
  extent1: u32,
  extent2: u32,
  extent3: u32,
  extent4: u32,
  extent5: u32,
  from0: u32,
  from1: u32,
  from2: u32,
  from3: u32,
  from4: u32,
  from5: u32,
  to0: u32,
  to1: u32,
  to2: u32,
  to3: u32,
  to4: u32,
  to5: u32,
}

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> destination: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let r5 = i / p.extent5;
  let r4 = r5 / p.extent4;
  let r3 = r4 / p.extent3;
  let r2 = r3 / p.extent2;
  let r1 = r2 / p.extent1;
  let i5 = i - r5 * p.extent5;
  let i4 = r5 - r4 * p.extent4;
  let i3 = r4 - r3 * p.extent3;
  let i2 = r3 - r2 * p.extent2;
  let i1 = r2 - r1 * p.extent1;
  let j = p.from_start + r1 * p.from0 + i1 * p.from1 + i2 * p.from2 + i3 * p.from3 + i4 * p.from4 + i5 * p.from5;
  let k = p.to_start + r1 * p.to0 + i1 * p.to1 + i2 * p.to2 + i3 * p.to3 + i4 * p.to4 + i5 * p.to5;
  destination[k] = p.scale * source[j];
}
