// conv2d, gradient of the input; also conv_transpose2d, forward (the same sums). An implicit GEMM.
//
//   gx[n, c, iy, ix] = sum over o, ky, kx of weight[o, c, ky, kx] gy[n, o, oy, ox],   oy s = iy + pad - ky dil, ox alike
//
// gy [N, O, OH, OW], weight [O, C/G, KH, KW], bias [C] (of the transposed convolution; read if BIAS), gx [N, C, H, W].
// M = C/G (rows), columns = the pixels of one phase, k = (output channel in the group, tap in y, tap in x).
// Only every s-th tap meets a given pixel, so pixels are taken by phase (iy mod s, ix mod s): within one all pixels have
// the same taps, ky = first + k.y step with step = s / gcd(s, dil), and no multiplication by zero is left. A step further in
// taps is stride_of_step = dil / gcd(s, dil) pixels of gy less (lib/phase.wgsl).
// An item is group * phases + phase. A phase without taps still writes its zeros.

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
  group_out_channels: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride_y: u32,
  stride_x: u32,
  pad_y: u32,
  pad_x: u32,
  dilation_y: u32,
  dilation_x: u32,
  step_y: u32,
  step_x: u32,
  stride_of_step_y: u32,
  stride_of_step_x: u32,
  phase_height: u32,
  phase_width: u32,
  split_size: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> gy: array<FIRST>;
@group(0) @binding(1) var<storage, read> weight: array<SECOND>;
@group(0) @binding(2) var<storage, read> bias: array<THIRD>;
@group(0) @binding(3) var<storage, read_write> gx: array<RESULT>;
@group(1) @binding(0) var<uniform> p: Params;

/// Where each of four input channels begins in a filter of the weight.
struct Rows {
  base: vec4u,
}

/// Four pixels of the phase: their image's first element in the group, and the position in gy that their first tap meets.
struct Columns {
  base: vec4u,
  y: vec4i,
  x: vec4i,
}

var<private> channel_group: u32;
var<private> phase: vec2u; // y, x
var<private> first: vec2u; // first tap that meets the phase: ky, kx

fn setup(item: u32) -> vec3u {
  let phases = p.stride_y * p.stride_x;
  let index = item % phases;
  channel_group = item / phases;
  phase = vec2u(index / p.stride_x, index % p.stride_x);
  let tap_y = first_tap((index / p.stride_x + p.pad_y) % p.stride_y, p.stride_y, p.dilation_y, p.step_y);
  let tap_x = first_tap((index % p.stride_x + p.pad_x) % p.stride_x, p.stride_x, p.dilation_x, p.step_x);
  first = vec2u(tap_y, tap_x);
  return vec3u(p.group_out_channels, taps(tap_y, p.kernel_height, p.step_y), taps(tap_x, p.kernel_width, p.step_x));
}

fn rows(m: u32) -> Rows {
  let c = min(vec4u(m, m + 1u, m + 2u, m + 3u), vec4u(p.rows - 1u));
  return Rows(c * (p.kernel_height * p.kernel_width));
}

fn columns(n: u32) -> Columns {
  let pixel = min(vec4u(n, n + 1u, n + 2u, n + 3u), vec4u(p.columns - 1u));
  let line = pixel / p.phase_width;
  let image = line / p.phase_height;
  let iy = vec4i((line - image * p.phase_height) * p.stride_y + phase.x);
  let ix = vec4i((pixel - line * p.phase_width) * p.stride_x + phase.y);
  // Exact divisions: the first tap was chosen so. They may be negative; the taps after it only go down.
  let down_y = iy + vec4i(i32(p.pad_y)) - vec4i(i32(first.x * p.dilation_y));
  let down_x = ix + vec4i(i32(p.pad_x)) - vec4i(i32(first.y * p.dilation_x));
  return Columns(
    (image * p.out_channels + channel_group * p.group_out_channels) * (p.out_height * p.out_width),
    down_y / i32(p.stride_y),
    down_x / i32(p.stride_x),
  );
}

fn read_a(r: Rows, k: vec3u) -> vec4f {
  let slice = (channel_group * p.group_out_channels + k.x) * p.group_channels * p.kernel_height;
  let i = r.base + ((slice + first.x + k.y * p.step_y) * p.kernel_width + first.y + k.z * p.step_x);
  return vec4f(vec4<SECOND>(weight[i.x], weight[i.y], weight[i.z], weight[i.w]));
}

fn read_b(c: Columns, k: vec3u) -> vec4f {
  let oy = vec4u(c.y - vec4i(i32(k.y * p.stride_of_step_y)));
  let ox = vec4u(c.x - vec4i(i32(k.z * p.stride_of_step_x)));
  let inside = (oy < vec4u(p.out_height)) & (ox < vec4u(p.out_width));
  let i = select(vec4u(), c.base + (k.x * p.out_height + oy) * p.out_width + ox, inside);
  return select(vec4f(), vec4f(vec4<FIRST>(gy[i.x], gy[i.y], gy[i.z], gy[i.w])), inside);
}

fn places(n: u32) -> vec4u {
  let pixel = vec4u(n, n + 1u, n + 2u, n + 3u);
  let line = pixel / p.phase_width;
  let image = line / p.phase_height;
  let iy = (line - image * p.phase_height) * p.stride_y + phase.x;
  let ix = (pixel - line * p.phase_width) * p.stride_x + phase.y;
  let inside = (pixel < vec4u(p.columns)) & (iy < vec4u(p.height)) & (ix < vec4u(p.width));
  return select(vec4u(OUTSIDE), (image * (p.channels * p.height) + iy) * p.width + ix, inside);
}

fn write(m: u32, split: u32, at: vec4u, value: vec4f) {
  if (m >= p.rows) {
    return;
  }
  let channel = channel_group * p.group_channels + m;
  var v = value;
  if (BIAS) {
    v += f32(bias[channel]);
  }
  v = activate4(v, p.slope);
  let row = split * p.split_size + channel * p.height * p.width;
  for (var j = 0u; j < 4u; j++) {
    if (at[j] != OUTSIDE) {
      gx[row + at[j]] = RESULT(v[j]);
    }
  }
}
