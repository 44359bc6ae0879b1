// gx[i] = gy[i] activation'(x[i]), the derivative taken from the output y. Four values at a time.
//
// Host guarantees: tensors are padded to whole vec4s.

struct Params {
  vectors: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> gy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> gx: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.vectors) {
    gx[i] = gy[i] * activation_derivative4(y[i], p.slope);
  }
}
