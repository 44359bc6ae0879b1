// cbam, last dispatch: both gates, and what the block ends with.
//
//   y[n, c, h, w] = activation(x[n, c, h, w] planes[n, c].w attention[n, 0, h, w] + residual[n, c, h, w])
//
// x, y and residual (bound always, read if RESIDUAL) [N, C, H, W], attention [N, 1, H, W], all in Lanes.
// One invocation per image, 8 channels and Lanes of pixels: the 8 have the attention in common.

struct Params {
  images: u32,
  channels: u32,
  items: u32,
  octets: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> planes: array<vec4f>;
@group(0) @binding(2) var<storage, read> attention: array<Lanes>;
@group(0) @binding(3) var<storage, read> residual: array<SKIPPED>;
@group(0) @binding(4) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  let row = index / p.items;
  let item = index - row * p.items;
  let n = row / p.octets;
  if (n >= p.images) {
    return;
  }
  let first = 8u * (row - n * p.octets);
  let own = attention[n * p.items + item];
  for (var c = first; c < min(first + 8u, p.channels); c++) {
    let plane = n * p.channels + c;
    let i = plane * p.items + item;
    var value = Lanes(x[i]) * planes[plane].w * own;
    if (RESIDUAL) {
      value += Lanes(residual[i]);
    }
    y[i] = Y(narrow(activate4(widen(value), p.slope)));
  }
}
