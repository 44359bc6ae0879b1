// From the spectra of a scalogram's rows back to the signal's: the adjoint of scalogram_filter, for a group of rows.
//
//   X[k] += weights[k] g sum over rows of spectrum(k / k_c) Y[row, k - first],  0 <= k - first < K
//
// rows     [all rows, 4]: first, k_c - first, 1 / k_c, 0
// Y        [rows, K] complex
// weights  [M / 2 + 1]
// X        [M / 2 + 1] complex
//
// One invocation per k from `start`, `count` of them. Host guarantees: lib/wavelet is used too; 1 <= k <= M / 2.

struct Params {
  bins: u32,
  first_row: u32,
  rows: u32,
  start: u32,
  count: u32,
  gain: f32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<storage, read> rows: array<vec4f>;
@group(0) @binding(1) var<storage, read> y: array<vec2f>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.count) {
    return;
  }
  let k = p.start + id.x;
  var sum = vec2f();
  for (var i = 0u; i < p.rows; i += 1u) {
    let row = rows[p.first_row + i];
    let j = i32(k) - i32(row.x);
    if (j >= 0 && j < i32(p.bins)) {
      sum += wavelet_spectrum((f32(j) - row.y) * row.z, p.a, p.b) * y[i * p.bins + u32(j)];
    }
  }
  x[k] += weights[k] * p.gain * sum;
}
