// cbam's way back, last dispatch. With g the gradient of the gated x (lib/cbam_pixel.wgsl) and, of the plane n, c,
// factors = (gate, gmean / (H W), gpeak / ties, peak):
//
//   gx[n, c, h, w] = gate g[n, c, h, w] + gmean / (H W) + (gpeak / ties if x[n, c, h, w] = peak else 0)
//
// x, gx and gz, the gradient of x gate attention, [N, C, H, W] in Lanes.
// One invocation per image, 8 channels and Lanes of pixels: the 8 have the pixel in common.

struct Params {
  images: u32,
  channels: u32,
  items: u32,
  octets: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> gz: array<GZ>;
@group(0) @binding(2) var<storage, read> factors: array<vec4f>;
@group(0) @binding(3) var<storage, read> attention: array<Lanes>;
@group(0) @binding(4) var<storage, read> pixels: array<Lanes>;
@group(0) @binding(5) var<storage, read> ties: array<Lanes>;
@group(0) @binding(6) var<storage, read> gpixels: array<Lanes>;
@group(0) @binding(7) var<storage, read_write> gx: array<GX>;
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
  let pixel = pixel_at(n, item);
  for (var c = first; c < min(first + 8u, p.channels); c++) {
    let plane = n * p.channels + c;
    let own = factors[plane];
    let i = plane * p.items + item;
    let value = Lanes(x[i]);
    let g = gated_gradient(pixel, value * own.x, Lanes(gz[i]));
    gx[i] = GX(own.x * g + own.y + own.z * lanes_equal(value, Lanes(own.w)));
  }
}
