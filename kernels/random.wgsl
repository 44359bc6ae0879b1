// Random numbers, four at a time.
//
//   NORMAL false:  y[i] uniform in [0, 1), a multiple of 2^-24
//   NORMAL true:   y[i] normal with mean 0 and variance 1: elements 2 j and 2 j + 1 are Box and Muller's pair of the uniform
//                  numbers 2 j and 2 j + 1
//
// Element i depends on seed, stream and i alone (lib/philox.wgsl, lib/box_muller.wgsl).
// One invocation per four elements of y, which is padded to whole vec4s; the padding becomes zero.

struct Params {
  size: u32,
  seed_low: u32,
  seed_high: u32,
  stream: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i * 4u >= p.size) {
    return;
  }
  let words = random24(i, p.stream, vec2u(p.seed_low, p.seed_high));
  var values = vec4f(words) * (1.0 / 16777216.0);
  if (NORMAL) {
    values = vec4f(box_muller(words.xy), box_muller(words.zw));
  }
  let inside = i * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(p.size);
  y[i] = select(vec4f(), values, inside);
}
