// Rows of a table.
//
//   y[n, d] = weight[indices[n], d] factor[n, d]          the factor if PRODUCT
//
// weight [K, D], indices [N], factor (bound always) and y [N, D]. One invocation per element of y.
// An index outside 0 to K - 1 is taken for the nearest row, so that nothing outside the table is read.

struct Params {
  size: u32,
  rows: u32,
  features: u32,
}

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read> factor: array<FACTOR>;
@group(0) @binding(3) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let n = i / p.features;
  let row = u32(clamp(indices[n], 0, i32(p.rows) - 1));
  var value = f32(weight[row * p.features + (i - n * p.features)]);
  if (PRODUCT) {
    value *= f32(factor[i]);
  }
  y[i] = Y(value);
}
