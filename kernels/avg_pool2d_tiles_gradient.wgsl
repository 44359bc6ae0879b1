// Gradient of average pooling whose windows tile the image: each input lies in one window.
//
//   gx[n, c, row, column] = scale gy[n, c, row / KH, column / KW]      scale = 1 / (KH KW)
//
// gx [N, C, H, W], gy [N, C, H / KH, W / KW]. One invocation per four neighbouring values of a row.
// Host guarantees: KW is a multiple of 4, so that the four lie in one window.

struct Params {
  vectors: u32,
  row_vectors: u32,
  window_vectors: u32,
  window_height: u32,
  out_width: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> gy: array<GY>;
@group(0) @binding(1) var<storage, read_write> gx: array<GX>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.vectors) {
    return;
  }
  let line = i / p.row_vectors;
  let across = (i - line * p.row_vectors) / p.window_vectors;
  // Lines are counted through all planes: H is a multiple of KH.
  let window = line / p.window_height * p.out_width + across;
  gx[i] = GX(vec4f(p.scale * f32(gy[window])));
}
