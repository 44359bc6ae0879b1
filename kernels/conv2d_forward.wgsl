// conv2d, forward, as an implicit GEMM (no im2col buffer).
//
//   y[n, o, oy, ox] = activation(bias[o] + sum over c, ky, kx of weight[o, c, ky, kx] x[n, c, oy s - pad + ky dil, ox s - pad + kx dil])
//
// x [N, C, H, W], weight [O, C/G, KH, KW], bias [O] (bound always, read if BIAS), y [N, O, OH, OW] or splits of it.
// M = O/G (rows), N = N OH OW (columns: pixels), k = (channel in the group, ky, kx). An item is a group.
// Host guarantees: y has splits x the output's size; with splits > 1 there is no bias and no activation here.

struct Params {
  rows: u32,
  columns: u32,
  splits: u32,
  row_tiles: u32,
  channels: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  out_channels: u32,
  group_channels: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride_y: u32,
  stride_x: u32,
  pad_y: u32,
  pad_x: u32,
  dilation_y: u32,
  dilation_x: u32,
  split_size: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<FIRST>;
@group(0) @binding(1) var<storage, read> weight: array<SECOND>;
@group(0) @binding(2) var<storage, read> bias: array<THIRD>;
@group(0) @binding(3) var<storage, read_write> y: array<RESULT>;
@group(1) @binding(0) var<uniform> p: Params;

/// Where each of four rows of the weight begins.
struct Rows {
  base: vec4u,
}

/// Four output pixels: their image's first element in the group, and the input position of their window's corner.
struct Columns {
  base: vec4u,
  y: vec4i,
  x: vec4i,
}

var<private> channel_group: u32;

fn setup(item: u32) -> vec3u {
  channel_group = item;
  return vec3u(p.group_channels, p.kernel_height, p.kernel_width);
}

fn rows(m: u32) -> Rows {
  let o = channel_group * p.rows + min(vec4u(m, m + 1u, m + 2u, m + 3u), vec4u(p.rows - 1u));
  return Rows(o * (p.group_channels * p.kernel_height * p.kernel_width));
}

fn columns(n: u32) -> Columns {
  let pixel = min(vec4u(n, n + 1u, n + 2u, n + 3u), vec4u(p.columns - 1u));
  let line = pixel / p.out_width;
  let image = line / p.out_height;
  let oy = line - image * p.out_height;
  let ox = pixel - line * p.out_width;
  return Columns(
    (image * p.channels + channel_group * p.group_channels) * (p.height * p.width),
    vec4i(oy * p.stride_y) - vec4i(i32(p.pad_y)),
    vec4i(ox * p.stride_x) - vec4i(i32(p.pad_x)),
  );
}

fn read_a(r: Rows, k: vec3u) -> vec4f {
  let i = r.base + ((k.x * p.kernel_height + k.y) * p.kernel_width + k.z);
  return vec4f(vec4<SECOND>(weight[i.x], weight[i.y], weight[i.z], weight[i.w]));
}

fn read_b(c: Columns, k: vec3u) -> vec4f {
  // Negative positions wrap to large unsigned ones, so one comparison bounds both sides.
  let iy = vec4u(c.y + vec4i(i32(k.y * p.dilation_y)));
  let ix = vec4u(c.x + vec4i(i32(k.z * p.dilation_x)));
  let inside = (iy < vec4u(p.height)) & (ix < vec4u(p.width));
  let i = select(vec4u(), c.base + (k.x * p.height + iy) * p.width + ix, inside);
  return select(vec4f(), vec4f(vec4<FIRST>(x[i.x], x[i.y], x[i.z], x[i.w])), inside);
}

fn places(n: u32) -> vec4u {
  let pixel = vec4u(n, n + 1u, n + 2u, n + 3u);
  let plane = p.out_height * p.out_width;
  let image = pixel / plane;
  return select(vec4u(OUTSIDE), pixel + image * ((p.out_channels - 1u) * plane), pixel < vec4u(p.columns));
}

fn write(m: u32, split: u32, at: vec4u, value: vec4f) {
  if (m >= p.rows) {
    return;
  }
  let o = channel_group * p.rows + m;
  var v = value;
  if (BIAS) {
    v += f32(bias[o]);
  }
  v = activate4(v, p.slope);
  let row = split * p.split_size + o * p.out_height * p.out_width;
  for (var j = 0u; j < 4u; j++) {
    if (at[j] != OUTSIDE) {
      y[row + at[j]] = RESULT(v[j]);
    }
  }
}
