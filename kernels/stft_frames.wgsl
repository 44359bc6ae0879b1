// Frames of a signal, weighted with a window and padded with zeros.
//
//   y[signal, t, m] = window[m] x[signal, start + t hop + m]  for m < length; else 0,  m = 0 .. n - 1
//
// x       [signals, samples], long enough for every frame
// window  [length]
// y       [signals, frames, n]
//
// One invocation per m (x), frame (y) and signal (z).

struct Params {
  samples: u32,
  length: u32,
  n: u32,
  hop: u32,
  start: u32,
  frames: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> window: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x;
  if (m >= p.n) {
    return;
  }
  let inside = m < p.length;
  let at = id.z * p.samples + p.start + id.y * p.hop + select(0u, m, inside);
  let weight = select(0.0, window[select(0u, m, inside)], inside);
  y[(id.z * p.frames + id.y) * p.n + m] = weight * x[at];
}
