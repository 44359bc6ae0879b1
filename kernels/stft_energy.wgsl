// Energies of a short-time spectrogram's pixels: of bands of frequencies, averaged over the samples of each pixel.
//
//   energy[row, q] = 1 / (edges[q + 1] - edges[q]) sum over t of overlap(t, q) sum over k of w[row, k] |X[t, k]|^2
//
// Frame t stands for the samples from (t - 1/2) hop to (t + 1/2) hop; overlap(t, q) is how many of them lie between edges[q]
// and edges[q + 1].
//
// X        [signals, frames, bins] complex, frame first_frame the first one
// bands    [all rows, 4]: first bin, how many of them, where their weights begin, 0
// weights  [...]: w, row after row
// edges    [width + 1], in samples of the window, half-way between two of them
// energy   [all signals, all rows, width]
//
// One invocation per pixel from first_column (x), row from first_row (y) and signal (z).

struct Params {
  frames: u32,
  bins: u32,
  first_frame: u32,
  first_column: u32,
  columns: u32,
  first_row: u32,
  all_rows: u32,
  width: u32,
  first_signal: u32,
  hop: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec2f>;
@group(0) @binding(1) var<storage, read> bands: array<vec4u>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> edges: array<f32>;
@group(0) @binding(4) var<storage, read_write> energy: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.columns) {
    return;
  }
  let q = p.first_column + id.x;
  let row = p.first_row + id.y;
  let band = bands[row];
  let left = edges[q];
  let right = edges[q + 1u];
  let last = u32(right / p.hop + 0.5);
  var total = 0.0;
  for (var t = u32(left / p.hop + 0.5); t <= last; t += 1u) {
    let middle = f32(t) * p.hop;
    let overlap = min(right, middle + 0.5 * p.hop) - max(left, middle - 0.5 * p.hop);
    let start = (id.z * p.frames + t - p.first_frame) * p.bins + band.x;
    var power = 0.0;
    for (var j = 0u; j < band.y; j += 1u) {
      let value = x[start + j];
      power += weights[band.z + j] * dot(value, value);
    }
    total += overlap * power;
  }
  energy[((p.first_signal + id.z) * p.all_rows + row) * p.width + q] = total / (right - left);
}
