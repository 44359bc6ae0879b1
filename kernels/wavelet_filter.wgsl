// The spectra of a continuous wavelet transform's rows: the signal's spectrum times the complex Morlet wavelet's.
//
//   Y[row, k] = X[k] sqrt(a) sum over j of exp(-pi^2 B (a (f + j) - C)^2),  f = k / n,  a = C / c
//
// with c the row's frequency in cycles a sample. The wavelet is sampled, so its spectrum repeats at every whole f + j:
// j = -2 .. 2, since those nearest to c matter when c is near 1/2.
//
// spectrum  [n / 2 + 1] complex: X of a real signal, of which X[n - k] = conj X[k]
// cycles    [rows]: c
// y         [rows, n] complex
//
// One invocation per k (x) and row (y).

struct Params {
  n: u32,
  first_row: u32,
  bandwidth: f32,
  centre: f32,
}

@group(0) @binding(0) var<storage, read> spectrum: array<vec2f>;
@group(0) @binding(1) var<storage, read> cycles: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  if (k >= p.n) {
    return;
  }
  let c = cycles[p.first_row + id.y];
  let scale = p.centre / c;
  let steepness = 9.8696044 * p.bandwidth * scale * scale;
  var gain = 0.0;
  for (var j = -2.0; j <= 2.0; j += 1.0) {
    let distance = f32(k) / f32(p.n) + j - c;
    gain += exp(-steepness * distance * distance);
  }
  let mirrored = k > p.n / 2u;
  let value = spectrum[select(k, p.n - k, mirrored)] * vec2f(1.0, select(1.0, -1.0, mirrored));
  y[id.y * p.n + k] = sqrt(scale) * gain * value;
}
