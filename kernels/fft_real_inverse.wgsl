// What the complex transform of half the length has to be so that its inverse gives the real sequence of a spectrum.
//
// The inverse of fft_real: with N = n / 2, E[k] = (X[k] + conj X[N - k]) / 2 and
// O[k] = e^(2 pi i k / n) (X[k] - conj X[N - k]) / 2,
//
//   Z[k] = E[k] + i O[k],  k = 0 .. N - 1
//
// whose inverse transform z[m] = x[2m] + i x[2m + 1] is the n real samples one after another.
//
// X       [batch, N + 1] complex, interleaved; the imaginary parts of X[0] and X[N] do not count
// roots   [roots] complex: e^(2 pi i t / roots); root_step = roots / n
// Z       [batch, N] complex
//
// One invocation per k (x) and sequence (y).

struct Params {
  half: u32,
  root_step: u32,
}

@group(0) @binding(0) var<storage, read> spectrum: array<vec2f>;
@group(0) @binding(1) var<storage, read> roots: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> z: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  if (k >= p.half) {
    return;
  }
  let start = id.y * (p.half + 1u);
  let real_only = vec2f(1.0, select(1.0, 0.0, k == 0u));
  let a = spectrum[start + k] * real_only;
  let b = spectrum[start + p.half - k] * real_only * vec2f(1.0, -1.0);
  let even = 0.5 * (a + b);
  let difference = 0.5 * (a - b);
  let root = roots[k * p.root_step];
  let odd = vec2f(root.x * difference.x - root.y * difference.y, root.x * difference.y + root.y * difference.x);
  z[id.y * p.half + k] = even + vec2f(-odd.y, odd.x);
}
