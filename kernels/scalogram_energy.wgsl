// Energy averaged over each pixel of a scalogram.
//
//   energy[q] = 1 / (edges[q + 1] - edges[q]) sum over j of |x[j mod K]|^2 overlap(j, q)
//
// x[j] stands for the samples from (j - 1/2) step to (j + 1/2) step of the padded signal, step = M / K; overlap(j, q) is how
// many of them lie between edges[q] and edges[q + 1].
//
// x       [windows, rows, K] complex; K is a power of two
// edges   [width + 1], in samples of the padded signal, half-way between two of them; edges[0] > 0
// energy  [all windows, all rows, width]
//
// One invocation per pixel (x), row (y) and window (z).

struct Params {
  bins: u32,
  rows: u32,
  width: u32,
  first_row: u32,
  all_rows: u32,
  first_window: u32,
  step: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec2f>;
@group(0) @binding(1) var<storage, read> edges: array<f32>;
@group(0) @binding(2) var<storage, read_write> energy: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let q = id.x;
  if (q >= p.width) {
    return;
  }
  let left = edges[q];
  let right = edges[q + 1u];
  let start = (id.z * p.rows + id.y) * p.bins;
  let last = u32(right / p.step + 0.5);
  var total = 0.0;
  for (var j = u32(left / p.step + 0.5); j <= last; j += 1u) {
    let middle = f32(j) * p.step;
    let overlap = min(right, middle + 0.5 * p.step) - max(left, middle - 0.5 * p.step);
    let value = x[start + (j & (p.bins - 1u))];
    total += overlap * dot(value, value);
  }
  energy[((p.first_window + id.z) * p.all_rows + p.first_row + id.y) * p.width + q] = total / (right - left);
}
