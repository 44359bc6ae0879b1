// A signal from its frames: each under the window again, added where they overlap.
//
//   x[m] = weights[m] sum over t of window[m - t hop - start] y[t, m - t hop - start],  0 <= m - t hop - start < length
//
// y        [frames, n]
// window   [length]
// weights  [samples]
// x        [samples]
//
// One invocation per m.

struct Params {
  samples: u32,
  length: u32,
  n: u32,
  hop: u32,
  start: u32,
  frames: u32,
}

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> window: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let m = id.y * groups.x * 64u + id.x;
  if (m >= p.samples) {
    return;
  }
  var sum = 0.0;
  if (m >= p.start) {
    let at = m - p.start;
    // The last frame that begins at or before m, and the frames before it that reach m.
    var t = min(at / p.hop, p.frames - 1u);
    for (var place = at - t * p.hop; place < p.length; place += p.hop) {
      sum += window[place] * y[t * p.n + place];
      if (t == 0u) {
        break;
      }
      t -= 1u;
    }
  }
  x[m] = weights[m] * sum;
}
