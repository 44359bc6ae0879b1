// The spectrum of real sequences from a complex transform of half their length.
//
// The n real samples x, read as n / 2 complex numbers z[m] = x[2m] + i x[2m + 1], were transformed to Z. With N = n / 2 and
// Z[N] = Z[0], the even samples have the spectrum E[k] = (Z[k] + conj Z[N - k]) / 2, the odd ones
// O[k] = (Z[k] - conj Z[N - k]) / 2i, and
//
//   X[k] = E[k] + e^(-2 pi i k / n) O[k],  k = 0 .. N
//
// z       [batch, N] complex, interleaved
// roots   [roots] complex: e^(2 pi i t / roots); root_step = roots / n
// X       [batch, N + 1] complex
//
// One invocation per k (x) and sequence (y).

struct Params {
  half: u32,
  root_step: u32,
}

@group(0) @binding(0) var<storage, read> z: array<vec2f>;
@group(0) @binding(1) var<storage, read> roots: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> spectrum: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  if (k > p.half) {
    return;
  }
  let start = id.y * p.half;
  let a = z[start + k % p.half];
  let b = z[start + (p.half - k) % p.half] * vec2f(1.0, -1.0);
  let even = 0.5 * (a + b);
  let difference = 0.5 * (a - b);
  let odd = vec2f(difference.y, -difference.x);
  let root = roots[k * p.root_step];
  spectrum[id.y * (p.half + 1u) + k] =
    even + vec2f(root.x * odd.x + root.y * odd.y, root.x * odd.y - root.y * odd.x);
}
