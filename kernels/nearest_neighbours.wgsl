// The K nearest points of each query, so far: those of the blocks before merged with those of one more block of points.
//
//   d[c, q] = max(0, |query q|^2 + |point c|^2 - 2 products[c, q])
//
// products [points, queries], query_norms [queries], point_norms [points]; nearest [K, queries] ascending along K, and
// indices [K, queries], counted over all blocks. Of equally near points the first stays ahead.
// One invocation has one query, so that neighbours read neighbouring products. Host guarantees: K >= 1; blocks come in order.

struct Params {
  queries: u32,
  points: u32,
  /// Place of the block's first query, and of its first point, among all.
  first_query: u32,
  first_point: u32,
  /// 1 if queries and points are one set, so that a query's own place is left out.
  self_excluded: u32,
}

@group(0) @binding(0) var<storage, read> products: array<f32>;
@group(0) @binding(1) var<storage, read> query_norms: array<f32>;
@group(0) @binding(2) var<storage, read> point_norms: array<f32>;
@group(0) @binding(3) var<storage, read_write> nearest: array<f32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;
@group(1) @binding(0) var<uniform> p: Params;

const FAR = 3.4e38;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let q = id.x;
  if (q >= p.queries) {
    return;
  }
  var best: array<f32, K>;
  var place: array<u32, K>;
  for (var j = 0u; j < K; j++) {
    best[j] = FAR;
    if (p.first_point > 0u) {
      best[j] = nearest[j * p.queries + q];
      place[j] = indices[j * p.queries + q];
    }
  }
  let norm = query_norms[q];
  for (var c = 0u; c < p.points; c++) {
    var d = max(0.0, norm + point_norms[c] - 2.0 * products[c * p.queries + q]);
    var i = p.first_point + c;
    if (p.self_excluded == 1u && i == p.first_query + q) {
      d = FAR;
    }
    if (d < best[K - 1u]) {
      // What is nearer takes the place, what was there moves on.
      for (var j = 0u; j < K; j++) {
        if (d < best[j]) {
          let moved = best[j];
          let moved_place = place[j];
          best[j] = d;
          place[j] = i;
          d = moved;
          i = moved_place;
        }
      }
    }
  }
  for (var j = 0u; j < K; j++) {
    nearest[j * p.queries + q] = best[j];
    indices[j * p.queries + q] = place[j];
  }
}
