// conv2d, gradient of the weight, as an implicit GEMM whose long sum is split.
//
//   gw[o, c, ky, kx] = sum over n, oy, ox of gy[n, o, oy, ox] x[n, c, oy s - pad + ky dil, ox s - pad + kx dil]
//
// x [N, C, H, W], gy [N, O, OH, OW], gw [splits, O, C/G, KH, KW]: parts that a second pass adds in fixed order (WGSL has
// no float atomics, and a fixed order makes every run bit-equal).
// M = O/G (rows), columns = C/G KH KW, k = (n, oy, ox). An item is a group.

struct Params {
  rows: u32,
  columns: u32,
  splits: u32,
  row_tiles: u32,
  images: u32,
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
}

@group(0) @binding(0) var<storage, read> x: array<FIRST>;
@group(0) @binding(1) var<storage, read> gy: array<SECOND>;
@group(0) @binding(2) var<storage, read_write> gw: array<RESULT>;
@group(1) @binding(0) var<uniform> p: Params;

/// Where the planes of four output channels begin in an image of gy.
struct Rows {
  base: vec4u,
}

/// Four taps: where their channel's plane begins in an image of x, and the tap's offset from the window's corner.
struct Columns {
  base: vec4u,
  y: vec4i,
  x: vec4i,
}

var<private> channel_group: u32;

fn setup(item: u32) -> vec3u {
  channel_group = item;
  return vec3u(p.images, p.out_height, p.out_width);
}

fn rows(m: u32) -> Rows {
  let o = channel_group * p.rows + min(vec4u(m, m + 1u, m + 2u, m + 3u), vec4u(p.rows - 1u));
  return Rows(o * (p.out_height * p.out_width));
}

fn columns(n: u32) -> Columns {
  let column = min(vec4u(n, n + 1u, n + 2u, n + 3u), vec4u(p.columns - 1u));
  let line = column / p.kernel_width;
  let c = line / p.kernel_height;
  let ky = line - c * p.kernel_height;
  let kx = column - line * p.kernel_width;
  return Columns(
    (channel_group * p.group_channels + c) * (p.height * p.width),
    vec4i(ky * p.dilation_y) - vec4i(i32(p.pad_y)),
    vec4i(kx * p.dilation_x) - vec4i(i32(p.pad_x)),
  );
}

fn read_a(r: Rows, k: vec3u) -> vec4f {
  let i = r.base + ((k.x * p.out_channels * p.out_height + k.y) * p.out_width + k.z);
  return vec4f(vec4<SECOND>(gy[i.x], gy[i.y], gy[i.z], gy[i.w]));
}

fn read_b(c: Columns, k: vec3u) -> vec4f {
  let iy = vec4u(c.y + vec4i(i32(k.y * p.stride_y)));
  let ix = vec4u(c.x + vec4i(i32(k.z * p.stride_x)));
  let inside = (iy < vec4u(p.height)) & (ix < vec4u(p.width));
  let i = select(vec4u(), c.base + (k.x * p.channels * p.height + iy) * p.width + ix, inside);
  return select(vec4f(), vec4f(vec4<FIRST>(x[i.x], x[i.y], x[i.z], x[i.w])), inside);
}

fn places(n: u32) -> vec4u {
  let column = vec4u(n, n + 1u, n + 2u, n + 3u);
  return select(vec4u(OUTSIDE), column, column < vec4u(p.columns));
}

fn write(m: u32, split: u32, at: vec4u, value: vec4f) {
  if (m >= p.rows) {
    return;
  }
  let row = split * p.split_size + (channel_group * p.rows + m) * p.columns;
  for (var j = 0u; j < 4u; j++) {
    if (at[j] != OUTSIDE) {
      gw[row + at[j]] = RESULT(value[j]);
    }
  }
}
