// Augmented spectrograms; what n gets is in lib/spectrogram_augment.wgsl.
//
//   v = x[n, c, clamp(h - df, 0, H - 1), (w - dt) mod W] + gain
//   v = v + log(1 + exp(k (b - v))) / k      where background is added, b = noise[m, c, h, w] / 127.5 - 1 - fade
//   y[n, c, h, w] = -1 under a mask, else min(1, max(-1, v))
//
// x, y [N, C, H, W]; noise i32 [M, C, H, W], unread if M = 0. k is `slope`. One
// invocation per strip of STRIP columns of a row draws what the image gets once, and walks along the strip.

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> noise: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
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
  let source = u32(clamp(i32(h) - drawn.df, 0, i32(p.height) - 1));
  let input = (line - h + source) * p.width;
  let output = line * p.width;
  let background = (drawn.noise * p.channels * p.height + line - n * p.channels * p.height) * p.width;
  for (var w = first; w < min(first + STRIP, p.width); w++) {
    var v = f32(x[input + rolled(w, drawn.dt)]) + drawn.gain;
    if (drawn.noise < p.noises) {
      let b = f32(noise[background + w]) / 127.5 - 1.0 - drawn.fade;
      let d = p.slope * (b - v);
      v += (max(0.0, d) + log(1.0 + exp(-abs(d)))) / p.slope;
    }
    y[output + w] = Y(select(clamp(v, -1.0, 1.0), -1.0, masked(drawn, h, w)));
  }
}
