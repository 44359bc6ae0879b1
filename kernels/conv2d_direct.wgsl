// conv2d of stride 1 for few output channels, forward; or its input gradient, which is the same with the kernel turned round.
//
//   y[n, m, oy, ox] = activation(bias[m] + sum over c, ky, kx of W[m, c, ky, kx] x[n, c, oy - pad + ky, ox - LEFT + kx])
//
// x [N, G channels, H, W], bias [G rows] (bound always, read if BIAS), y [N, G rows, OH, OW]. W is the weight where its
// strides say; FLIP reads its taps from the last to the first.
// An invocation computes PIXELS neighbours of a line (4 or 8) in ROWS output channels (1, 2 or 4): a pixel is loaded once for
// all taps of a line and all rows, where a matrix product would load it for each tap. z of the workgroup is
// group * blocks + block of ROWS channels.
// X is a vec4, the other elements are scalars. Host guarantees: x is padded to whole vec4s; with VECTOR, W is a multiple of 4; see also lib/pixels.wgsl.

struct Params {
  groups: u32,
  channels: u32,
  height: u32,
  width: u32,
  rows: u32,
  blocks: u32,
  out_height: u32,
  out_width: u32,
  kernel_height: u32,
  pad: u32,
  weight_group: u32,
  weight_row: u32,
  weight_channel: u32,
  pieces: u32,
  lines: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> weight: array<WEIGHTS>;
@group(0) @binding(2) var<storage, read> bias: array<BIASES>;
@group(0) @binding(3) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

/// Sums of eight neighbours.
struct Sums {
  a: vec4f,
  b: vec4f,
}

fn with_tap(s: Sums, w: f32, a: vec4f, b: vec4f) -> Sums {
  if (PIXELS > 4u) {
    return Sums(s.a + w * a, s.b + w * b);
  }
  return Sums(s.a + w * a, s.b);
}

fn tap(first: u32, k: u32) -> f32 {
  return f32(weight[select(first + k, first - k, FLIP)]);
}

/// The sums with one line's taps, the first of which is weight[first].
fn with_line(sums: Sums, w: Piece, first: u32) -> Sums {
  var s = with_tap(sums, tap(first, 0u), w.a, w.b);
  if (KW > 1u) {
    s = with_tap(s, tap(first, 1u), after1(w.a, w.b), after1(w.b, w.c));
  }
  if (KW > 2u) {
    s = with_tap(s, tap(first, 2u), after2(w.a, w.b), after2(w.b, w.c));
  }
  if (KW > 3u) {
    s = with_tap(s, tap(first, 3u), after3(w.a, w.b), after3(w.b, w.c));
  }
  if (KW > 4u) {
    s = with_tap(s, tap(first, 4u), w.b, w.c);
  }
  if (KW > 5u) {
    s = with_tap(s, tap(first, 5u), after1(w.b, w.c), after1(w.c, w.d));
  }
  if (KW > 6u) {
    s = with_tap(s, tap(first, 6u), after2(w.b, w.c), after2(w.c, w.d));
  }
  return s;
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * INVOCATIONS + local;
  let line = i / p.pieces;
  if (line >= p.lines) {
    return;
  }
  let column = (i - line * p.pieces) * PIXELS;
  let image = line / p.out_height;
  let oy = line - image * p.out_height;
  let group = workgroup.z / p.blocks;
  let m = (workgroup.z - group * p.blocks) * ROWS;
  let first_channel = (image * p.groups + group) * p.channels;
  // Rows beyond the last are computed as the last, and not written.
  let weights = group * p.weight_group + select(0u, p.kernel_height * KW - 1u, FLIP);
  let row0 = weights + m * p.weight_row;
  let row1 = weights + min(m + 1u, p.rows - 1u) * p.weight_row;
  let row2 = weights + min(m + 2u, p.rows - 1u) * p.weight_row;
  let row3 = weights + min(m + 3u, p.rows - 1u) * p.weight_row;
  var s0 = Sums();
  var s1 = Sums();
  var s2 = Sums();
  var s3 = Sums();
  var c = 0u;
  var ky = 0u;
  for (var t = 0u; t < p.channels * p.kernel_height; t++) {
    let iy = oy + ky - p.pad;
    let w = piece(((first_channel + c) * p.height + iy) * p.width, iy < p.height, column);
    let at = select(c * p.weight_channel + ky * KW, c * p.weight_channel - ky * KW, FLIP);
    s0 = with_line(s0, w, row0 + at);
    if (ROWS > 1u) {
      s1 = with_line(s1, w, row1 + at);
    }
    if (ROWS > 2u) {
      s2 = with_line(s2, w, row2 + at);
      s3 = with_line(s3, w, row3 + at);
    }
    ky++;
    let carry = ky == p.kernel_height;
    ky = select(ky, 0u, carry);
    c += select(0u, 1u, carry);
  }
  let first_row = group * p.rows;
  write(image, first_row, m, oy, column, s0);
  if (ROWS > 1u) {
    write(image, first_row, m + 1u, oy, column, s1);
  }
  if (ROWS > 2u) {
    write(image, first_row, m + 2u, oy, column, s2);
    write(image, first_row, m + 3u, oy, column, s3);
  }
}

fn write(image: u32, first_row: u32, m: u32, oy: u32, column: u32, s: Sums) {
  if (m >= p.rows) {
    return;
  }
  let channel = first_row + m;
  let line = ((image * p.groups * p.rows + channel) * p.out_height + oy) * p.out_width;
  var b = 0.0;
  if (BIAS) {
    b = f32(bias[channel]);
  }
  write4(line, column, activate4(s.a + b, p.slope));
  if (PIXELS > 4u) {
    write4(line, column + 4u, activate4(s.b + b, p.slope));
  }
}

fn write4(line: u32, column: u32, v: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (column + j < p.out_width) {
      y[line + column + j] = Y(v[j]);
    }
  }
}
