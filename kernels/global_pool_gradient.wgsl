// Gradient of the mean and the maximum of every plane; values that tie for the maximum share its gradient evenly.
//
//   gx[n, c, h, w] = gy[n, c] / (H W) + (gy[N + n, c] / ties[n, c] if x[n, c, h, w] = y[N + n, c] else 0)
//
// x and gx [N, C, H, W], y and gy [2 N, C], ties [N C]. One invocation per Lanes of gx.

struct Params {
  planes: u32,
  items: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> y: array<Y>;
@group(0) @binding(2) var<storage, read> ties: array<f32>;
@group(0) @binding(3) var<storage, read> gy: array<GY>;
@group(0) @binding(4) var<storage, read_write> gx: array<GX>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.planes * p.items) {
    return;
  }
  let plane = i / p.items;
  let of_mean = f32(gy[plane]) / f32(p.items * LANES);
  let of_peak = f32(gy[p.planes + plane]) / ties[plane];
  gx[i] = GX(of_mean + of_peak * lanes_equal(Lanes(x[i]), Lanes(f32(y[p.planes + plane]))));
}
