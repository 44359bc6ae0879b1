// Gradient of the maximum and the mean over channels; channels that tie for the maximum share its gradient evenly.
//
//   gx[n, c, h, w] = gy[n, 1, h, w] / C + (gy[n, 0, h, w] / ties[n, h, w] if x[n, c, h, w] = y[n, 0, h, w] else 0)
//
// x and gx [N, C, H, W], y and gy [N, 2, H, W], ties [N, H, W].
// One invocation per image, 8 channels and Lanes of pixels: the 8 have all but x in common.

struct Params {
  images: u32,
  channels: u32,
  items: u32,
  octets: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> y: array<Y>;
@group(0) @binding(2) var<storage, read> ties: array<Lanes>;
@group(0) @binding(3) var<storage, read> gy: array<GY>;
@group(0) @binding(4) var<storage, read_write> gx: array<GX>;
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
  let peak_at = 2u * n * p.items + pixel;
  let peak = Lanes(y[peak_at]);
  let of_peak = Lanes(gy[peak_at]) / ties[n * p.items + pixel];
  let of_mean = Lanes(gy[peak_at + p.items]) / f32(p.channels);
  for (var c = first; c < min(first + 8u, p.channels); c++) {
    let i = (n * p.channels + c) * p.items + pixel;
    gx[i] = GX(of_mean + of_peak * lanes_equal(Lanes(x[i]), peak));
  }
}
