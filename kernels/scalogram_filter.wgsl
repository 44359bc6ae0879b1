// The spectra of a scalogram's rows: the signal's spectrum times the wavelet's, cropped to K bins.
//
//   y[window, row, j] = X[window, k] g spectrum(k / k_c),  k = first + j, for 1 <= k <= M / 2; else 0
//
// Where a row's bins begin moves its inverse transform in frequency, which |.| does not see; taking K of M bins samples it
// at every (M / K)-th place, with g = 2 K / M making up for the inverse transform's 1 / K in place of 1 / M.
//
// spectrum  [windows, M / 2 + 1] complex
// rows      [all rows, 4]: first (a whole number, maybe below 0), k_c - first, 1 / k_c, 0
// y         [windows, rows, K] complex
//
// One invocation per j (x), row (y) and window (z). Host guarantees: lib/wavelet is used too.

struct Params {
  bins: u32,
  half: u32,
  first_row: u32,
  rows: u32,
  gain: f32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<storage, read> spectrum: array<vec2f>;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  if (j >= p.bins) {
    return;
  }
  let row = rows[p.first_row + id.y];
  let k = i32(row.x) + i32(j);
  let inside = k >= 1 && k <= i32(p.half);
  let gain = select(0.0, p.gain * wavelet_spectrum((f32(j) - row.y) * row.z, p.a, p.b), inside);
  let value = spectrum[id.z * (p.half + 1u) + select(0u, u32(k), inside)];
  y[(id.z * p.rows + id.y) * p.bins + j] = gain * value;
}
