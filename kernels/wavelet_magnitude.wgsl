// The magnitude of the first samples of each row.
//
//   magnitude[first_row + row, m] = |x[row, m]|,  m = 0 .. samples - 1
//
// x          [rows, n] complex
// magnitude  [all rows, samples]
//
// One invocation per m (x) and row (y).

struct Params {
  n: u32,
  samples: u32,
  first_row: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> magnitude: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x;
  if (m < p.samples) {
    magnitude[(p.first_row + id.y) * p.samples + m] = length(x[id.y * p.n + m]);
  }
}
