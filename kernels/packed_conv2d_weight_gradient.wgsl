// conv2d, gradient of the weight, on operands packed by pack_conv2d.wgsl, as an implicit GEMM whose long sum is split.
//
//   gw[o, c, ky, kx] = sum over n, oy, ox of gy[n, o, oy, ox] x[n, c, oy s - pad + ky dil, ox s - pad + kx dil]
//
// Packed: gy [N, O/4, GH, GW] and x [N, C/4, PH, PW] in texels of four channels: gy with zeros up to the next
// multiple of four columns, x with margins wide enough for every tap of those. gw [splits, O, C, KH, KW].
// rows = O, columns = (ky, kx, c) with c up to the next multiple of four, k = (n, oy, ox / 4) with four terms each.

struct Params {
  rows: u32,
  columns: u32,
  splits: u32,
  row_tiles: u32,
  images: u32,
  channels: u32,
  out_height: u32,
  out_width: u32,
  row_groups: u32,
  gradient_height: u32,
  gradient_width: u32,
  gradient_at: u32,
  channel_groups: u32,
  padded_height: u32,
  padded_width: u32,
  image_at: u32,
  kernel_width: u32,
  taps: u32,
  stride_y: u32,
  stride_x: u32,
  dilation_y: u32,
  dilation_x: u32,
  split_size: u32,
}

@group(0) @binding(0) var<storage, read_write> gw: array<RESULT>;
@group(1) @binding(0) var<uniform> p: Params;

/// Four output channels: the first texel of their plane in the first image.
struct Rows {
  base: u32,
}

/// Four input channels at a tap: the texel of x that the first pixel of gy meets, in the first image.
struct Columns {
  base: u32,
}

fn setup(item: u32) -> vec3u {
  return vec3u(p.images, p.out_height, (p.out_width + 3u) / 4u);
}

fn rows(m: u32) -> Rows {
  let group = min(m / 4u, p.row_groups - 1u);
  return Rows(p.gradient_at + group * (p.gradient_height * p.gradient_width));
}

fn columns(n: u32) -> Columns {
  let group = min(n, p.columns - 1u) / 4u;
  let tap = group / p.channel_groups;
  let c = group - tap * p.channel_groups;
  let ky = tap / p.kernel_width;
  let kx = tap - ky * p.kernel_width;
  return Columns(p.image_at + (c * p.padded_height + ky * p.dilation_y) * p.padded_width + kx * p.dilation_x);
}

/// [row][term]
fn read_a(r: Rows, k: vec3u) -> mat4x4f {
  let at = r.base + (k.x * (p.row_groups * p.gradient_height) + k.y) * p.gradient_width + 4u * k.z;
  return transpose(mat4x4f(texel(at), texel(at + 1u), texel(at + 2u), texel(at + 3u)));
}

/// [term][column]
fn read_b(c: Columns, k: vec3u) -> mat4x4f {
  let s = p.stride_x;
  let line = k.x * (p.channel_groups * p.padded_height) + k.y * p.stride_y;
  let at = c.base + line * p.padded_width + 4u * s * k.z;
  return mat4x4f(texel(at), texel(at + s), texel(at + 2u * s), texel(at + 3u * s));
}

fn places(n: u32) -> vec4u {
  let group = n / 4u;
  let tap = group / p.channel_groups;
  let c = 4u * (group - tap * p.channel_groups) + vec4u(0u, 1u, 2u, 3u);
  return select(vec4u(OUTSIDE), c * p.taps + tap, (c < vec4u(p.channels)) & vec4<bool>(n < p.columns));
}

fn write(m: u32, split: u32, at: vec4u, value: vec4f) {
  if (m >= p.rows) {
    return;
  }
  let row = split * p.split_size + m * p.channels * p.taps;
  for (var j = 0u; j < 4u; j++) {
    if (at[j] != OUTSIDE) {
      gw[row + at[j]] = RESULT(value[j]);
    }
  }
}
