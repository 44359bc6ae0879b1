// Gradient of the weighted cross-entropy with respect to the rows' weights.
//
//   gw[n] = gy l[n],   l[n] the row's own loss
//
// normalizer [N] with l in its third places, as the forward pass leaves it; gy [], gw [N]. One invocation a row.

struct Params {
  rows: u32,
}

@group(0) @binding(0) var<storage, read> normalizer: array<vec4f>;
@group(0) @binding(1) var<storage, read> gy: array<f32>;
@group(0) @binding(2) var<storage, read_write> gw: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let n = id.y * groups.x * 64u + id.x;
  if (n < p.rows) {
    gw[n] = gy[0] * normalizer[n].z;
  }
}
