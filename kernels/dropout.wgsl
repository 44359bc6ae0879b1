// Dropout, and its own gradient with x = gy, y = gx.
//
//   y[i] = scale x[i] where random24[i] >= threshold, else 0
//
// random24[i] is element i's whole number of 24 bits (lib/philox.wgsl). With threshold = p 2^24, rounded up, an element is
// dropped with probability p; scale = 1 / (1 - p).
// One invocation per four elements. x and y are padded to whole vec4s; the padding of y becomes zero.

struct Params {
  size: u32,
  seed_low: u32,
  seed_high: u32,
  stream: u32,
  threshold: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i * 4u >= p.size) {
    return;
  }
  let words = random24(i, p.stream, vec2u(p.seed_low, p.seed_high));
  let inside = i * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(p.size);
  y[i] = Y(select(vec4f(), p.scale * vec4f(x[i]), inside & (words >= vec4u(p.threshold))));
}
