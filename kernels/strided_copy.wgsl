// Copy from one strided walk to another: permute, slice, concat, broadcast, nearest-neighbour upsampling.
//
//   to[to_start + i . to] = scale from[from_start + i . from]      for every index i of extent0 x ... x extent5
//
// Strides count elements; a stride of 0 in `from` repeats. One invocation per index; extent5 is the innermost. Only the last
// RANK extents differ from 1: for the others no division is spent.

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

@group(0) @binding(0) var<storage, read> source: array<SOURCE>;
@group(0) @binding(1) var<storage, read_write> destination: array<DESTINATION>;
@group(1) @binding(0) var<uniform> p: Params;

/// The innermost digit of `rest`, which loses it.
fn digit(rest: ptr<function, u32>, extent: u32) -> u32 {
  let quotient = *rest / extent;
  let value = *rest - quotient * extent;
  *rest = quotient;
  return value;
}

/// The strides of the outermost of the RANK dimensions.
fn outermost() -> vec2u {
  switch RANK {
    case 1u: { return vec2u(p.from5, p.to5); }
    case 2u: { return vec2u(p.from4, p.to4); }
    case 3u: { return vec2u(p.from3, p.to3); }
    case 4u: { return vec2u(p.from2, p.to2); }
    case 5u: { return vec2u(p.from1, p.to1); }
    default: { return vec2u(p.from0, p.to0); }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  var at = vec2u(p.from_start, p.to_start);
  var rest = i;
  if (RANK > 1u) {
    at += digit(&rest, p.extent5) * vec2u(p.from5, p.to5);
  }
  if (RANK > 2u) {
    at += digit(&rest, p.extent4) * vec2u(p.from4, p.to4);
  }
  if (RANK > 3u) {
    at += digit(&rest, p.extent3) * vec2u(p.from3, p.to3);
  }
  if (RANK > 4u) {
    at += digit(&rest, p.extent2) * vec2u(p.from2, p.to2);
  }
  if (RANK > 5u) {
    at += digit(&rest, p.extent1) * vec2u(p.from1, p.to1);
  }
  at += rest * outermost();
  destination[at.y] = DESTINATION(p.scale * f32(source[at.x]));
}
