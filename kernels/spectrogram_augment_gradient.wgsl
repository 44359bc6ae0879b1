// Gradient of the spectrogram augmentation; what n gets is drawn again (lib/spectrogram_augment.wgsl).
//
//   gx[n, c, h, w] = sum over rows r that show row h, with v as in spectrogram_augment.wgsl at (r, (w + dt) mod W), of
//                    gy[n, c, r, (w + dt) mod W] / (1 + exp(k (b - v)))      where background is added, else of gy itself,
//                    if that pixel is not masked and -1 <= v <= 1, before it is clamped
//
// Row h is shown by row h + df; the first and the last are repeated in the rows that the shift leaves free. x, gy, gx
// [N, C, H, W]; noise i32 [M, C, H, W], unread if M = 0. One invocation per strip of STRIP columns of a row of gx.

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> noise: array<i32>;
@group(0) @binding(2) var<storage, read> gy: array<Y>;
@group(0) @binding(3) var<storage, read_write> gx: array<G>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.strips) {
    return;
  }
  let line = i / p.row_strips;
  let first = (i - line * p.row_strips) * STRIP;
  let planes = line / p.height;
  let h = line - planes * p.height;
  let n = planes / p.channels;
  let drawn = augmentation(n);
  let last = i32(p.height) - 1;
  let shown = i32(h) + drawn.df;
  let top = clamp(select(shown, 0, h == 0u), 0, last + 1);
  let bottom = clamp(select(shown, last, i32(h) == last), -1, last);
  let plane = (line - h) * p.width;
  let background = (drawn.noise * p.channels * p.height + line - h - n * p.channels * p.height) * p.width;
  for (var w = first; w < min(first + STRIP, p.width); w++) {
    let value = f32(x[line * p.width + w]) + drawn.gain;
    let column = rolled(w, -drawn.dt);
    var sum = 0.0;
    for (var r = top; r <= bottom; r++) {
      let row = u32(r);
      let at = row * p.width + column;
      var v = value;
      var share = 1.0;
      if (drawn.noise < p.noises) {
        let b = f32(noise[background + at]) / 127.5 - 1.0 - drawn.fade;
        let d = p.slope * (b - v);
        v += (max(0.0, d) + log(1.0 + exp(-abs(d)))) / p.slope;
        share = 1.0 / (1.0 + exp(d));
      }
      let hidden = masked(drawn, row, column) || v < -1.0 || v > 1.0;
      sum += select(share * f32(gy[plane + at]), 0.0, hidden);
    }
    gx[line * p.width + w] = G(sum);
  }
}
