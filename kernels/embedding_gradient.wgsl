// Gradient of a table of which rows were read: each row gathers the gradients of its uses, in their order.
//
//   gw[k, d] = sum over n with indices[n] = k of gy[n, d] factor[n, d]          the factor if PRODUCT
//
// gw [K, D], indices [N], gy and factor (bound always) [N, D]. One invocation per element of gw. Every row looks through all indices: made for tables
// of classes, where K N is small; it needs no atomics and gives the same bits each time.

struct Params {
  size: u32,
  rows: u32,
  features: u32,
  indices: u32,
}

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read> factor: array<FACTOR>;
@group(0) @binding(3) var<storage, read_write> gw: array<GW>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  if (index >= p.size) {
    return;
  }
  let k = index / p.features;
  let d = index - k * p.features;
  var sum = 0.0;
  for (var n = 0u; n < p.indices; n++) {
    let row = u32(clamp(indices[n], 0, i32(p.rows) - 1));
    if (row == k) {
      let i = n * p.features + d;
      if (PRODUCT) {
        sum += f32(gy[i]) * f32(factor[i]);
      } else {
        sum += f32(gy[i]);
      }
    }
  }
  gw[index] = GW(sum);
}
