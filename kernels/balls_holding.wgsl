// How many balls hold each query, so far: those of the blocks before and those of one more block of centres.
//
//   counts[q] += sum over c of [max(0, |query q|^2 + |centre c|^2 - 2 products[c, q]) <= radii[c]]
//
// products [centres, queries], query_norms [queries], centre_norms [centres], radii [centres], squared; counts [queries].
// One invocation has one query, so that neighbours read neighbouring products. Host guarantees: blocks come in order.

struct Params {
  queries: u32,
  centres: u32,
  /// Place of the block's first centre among all.
  first_centre: u32,
}

@group(0) @binding(0) var<storage, read> products: array<f32>;
@group(0) @binding(1) var<storage, read> query_norms: array<f32>;
@group(0) @binding(2) var<storage, read> centre_norms: array<f32>;
@group(0) @binding(3) var<storage, read> radii: array<f32>;
@group(0) @binding(4) var<storage, read_write> counts: array<u32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let q = id.x;
  if (q >= p.queries) {
    return;
  }
  var count = 0u;
  if (p.first_centre > 0u) {
    count = counts[q];
  }
  let norm = query_norms[q];
  for (var c = 0u; c < p.centres; c++) {
    let d = max(0.0, norm + centre_norms[c] - 2.0 * products[c * p.queries + q]);
    count += select(0u, 1u, d <= radii[c]);
  }
  counts[q] = count;
}
