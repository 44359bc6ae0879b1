// gx[i] = gy[i] activation'(x[i]), the derivative taken from the output y. Four values at a time.
//
// Host guarantees: tensors are padded to whole vec4s.

struct Params {
  vectors: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> y: array<Y>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read_write> gx: array<GX>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.vectors) {
    gx[i] = GX(vec4f(gy[i]) * activation_derivative4(vec4f(y[i]), p.slope));
  }
}
