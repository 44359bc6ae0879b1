// One step of an exponential moving average of all parameters of a network, four values at a time.
//
//   average = average + rest (value - average)          rest = 1 - decay
//
// Tensors are flat, padded to whole vec4s.

struct Params {
  vectors: u32,
  rest: f32,
}

@group(0) @binding(0) var<storage, read> values: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> average: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.vectors) {
    average[i] += p.rest * (values[i] - average[i]);
  }
}
