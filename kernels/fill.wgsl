// y[i] = value, four values at a time.

struct Params {
  vectors: u32,
  value: f32,
}

@group(0) @binding(0) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.vectors) {
    y[i] = Y(vec4f(p.value));
  }
}
