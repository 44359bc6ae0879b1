// Every pixel, in all its channels, times its gate.
//
//   y[n, c, h, w] = x[n, c, h, w] sigmoid(logits[n, 0, h, w])
//
// x and y [N, C, H, W], logits [N, 1, H, W].
// One invocation per image, 8 channels and Lanes of pixels: the 8 have the gate in common.

struct Params {
  images: u32,
  channels: u32,
  items: u32,
  octets: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> logits: array<LOGITS>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  let row = index / p.items;
  let pixel = index - row * p.items;
  let n = row / p.octets;
  if (n >= p.images) {
    return;
  }
  let first = 8u * (row - n * p.octets);
  let s = sigmoid_lanes(Lanes(logits[n * p.items + pixel]));
  for (var c = first; c < min(first + 8u, p.channels); c++) {
    let i = (n * p.channels + c) * p.items + pixel;
    y[i] = Y(s * Lanes(x[i]));
  }
}
