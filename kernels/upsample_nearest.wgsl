// Nearest-neighbour upsampling: every pixel is repeated scale x scale times.
//
//   y[n, c, iy scale + sy, ix scale + sx] = x[n, c, iy, ix]      for sy, sx < scale
//
// x [lines, width], lines = N C H; y [lines scale, width scale]. One invocation per pixel of x writes its square of y, so
// there is one division a pixel of x and none a pixel of y.

struct Params {
  size: u32,
  width: u32,
  scale: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.size) {
    return;
  }
  let line = i / p.width;
  let value = Y(x[i]);
  let row = p.width * p.scale;
  let corner = line * p.scale * row + (i - line * p.width) * p.scale;
  for (var sy = 0u; sy < p.scale; sy++) {
    for (var sx = 0u; sx < p.scale; sx++) {
      y[corner + sy * row + sx] = value;
    }
  }
}
