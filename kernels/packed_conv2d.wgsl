// conv2d, forward, and its input gradient (also conv_transpose2d, forward), on operands packed by pack_conv2d.wgsl.
//
//   forward:         y[n, r, oy, ox]  = activation(bias[r] + sum over o, ky, kx of weight[r, o, ky, kx] image[n, o, oy s - pad + ky dil, ...])
//   INPUT_GRADIENT:  gx[n, r, iy, ix] = activation(bias[r] + sum over o, ky, kx of weight[o, r, ky, kx] image[n, o, oy, ox]),
//                    oy s = iy + pad - ky dil, ox alike: the image is gy
//
// Packed: image [N, O/4, PH, PW], weight [O, KH KW, R/4], in texels of four. y [N, R, H, W] or splits of it; bias [R] (bound
// always, read if BIAS). rows = R, columns = pixels of the grid, k = (o / 4, tap in y, tap in x) with four terms, o mod 4, each.
// The gradient takes pixels by phase (iy mod s, ix mod s): see conv2d_input_gradient.wgsl and lib/phase.wgsl. An item is
// a phase; forward has one.
// Margins of the packed image are wide enough for every tap, so that nothing is compared here.

struct Params {
  rows: u32,
  columns: u32,
  splits: u32,
  row_tiles: u32,
  out_height: u32,
  out_width: u32,
  image_groups: u32,
  padded_height: u32,
  padded_width: u32,
  top: u32,
  left: u32,
  image_at: u32,
  weight_at: u32,
  row_groups: u32,
  kernel_height: u32,
  kernel_width: u32,
  grid_height: u32,
  grid_width: u32,
  stride_y: u32,
  stride_x: u32,
  pad_y: u32,
  pad_x: u32,
  dilation_y: u32,
  dilation_x: u32,
  step_y: u32,
  step_x: u32,
  split_size: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> bias: array<THIRD>;
@group(0) @binding(1) var<storage, read_write> y: array<RESULT>;
@group(1) @binding(0) var<uniform> p: Params;

/// Four rows: their group in the packed weight.
struct Rows {
  group: u32,
}

/// Four pixels: the texel that their first tap meets, in the first four channels.
struct Columns {
  base: vec4u,
}

var<private> phase: vec2u; // y, x
var<private> first: vec2u; // first tap that meets the phase: ky, kx
var<private> first_step: vec2u; // from a pixel of the grid to that tap's place in the packed image
var<private> tap_step: vec2u; // from one tap to the next; wraps where it goes back

/// (phase + pad - first dil) / s, which is exact, and may be negative.
fn down(phase: u32, pad: u32, first: u32, dilation: u32, stride: u32) -> u32 {
  return u32((i32(phase + pad) - i32(first * dilation)) / i32(stride));
}

fn setup(item: u32) -> vec3u {
  if (!INPUT_GRADIENT) {
    first_step = vec2u(p.top - p.pad_y, p.left - p.pad_x);
    tap_step = vec2u(p.dilation_y, p.dilation_x);
    return vec3u(p.image_groups, p.kernel_height, p.kernel_width);
  }
  // Locals first: what is read back from private variables counts as different in each invocation.
  let at = vec2u(item / p.stride_x, item % p.stride_x);
  let tap_y = first_tap((at.x + p.pad_y) % p.stride_y, p.stride_y, p.dilation_y, p.step_y);
  let tap_x = first_tap((at.y + p.pad_x) % p.stride_x, p.stride_x, p.dilation_x, p.step_x);
  phase = at;
  first = vec2u(tap_y, tap_x);
  first_step = vec2u(
    p.top + down(at.x, p.pad_y, tap_y, p.dilation_y, p.stride_y),
    p.left + down(at.y, p.pad_x, tap_x, p.dilation_x, p.stride_x),
  );
  tap_step = vec2u(0u - p.step_y * p.dilation_y / p.stride_y, 0u - p.step_x * p.dilation_x / p.stride_x);
  return vec3u(p.image_groups, taps(tap_y, p.kernel_height, p.step_y), taps(tap_x, p.kernel_width, p.step_x));
}

fn rows(m: u32) -> Rows {
  return Rows(min(m / 4u, p.row_groups - 1u));
}

fn columns(n: u32) -> Columns {
  let pixel = min(vec4u(n, n + 1u, n + 2u, n + 3u), vec4u(p.columns - 1u));
  let line = pixel / p.grid_width;
  let image = line / p.grid_height;
  let in_y = line - image * p.grid_height;
  let in_x = pixel - line * p.grid_width;
  let stride = select(vec2u(p.stride_y, p.stride_x), vec2u(1u), INPUT_GRADIENT);
  let row = image * (p.image_groups * p.padded_height) + in_y * stride.x + first_step.x;
  return Columns(p.image_at + row * p.padded_width + in_x * stride.y + first_step.y);
}

/// [row][term]
fn read_a(r: Rows, k: vec3u) -> mat4x4f {
  var tap = k.yz;
  if (INPUT_GRADIENT) {
    tap = first + k.yz * vec2u(p.step_y, p.step_x);
  }
  let kernel_size = p.kernel_height * p.kernel_width;
  let line = 4u * k.x * kernel_size + tap.x * p.kernel_width + tap.y;
  let at = p.weight_at + line * p.row_groups + r.group;
  let next = kernel_size * p.row_groups;
  return transpose(mat4x4f(texel(at), texel(at + next), texel(at + 2u * next), texel(at + 3u * next)));
}

/// [term][column]
fn read_b(c: Columns, k: vec3u) -> mat4x4f {
  let at = c.base + ((k.x * p.padded_height + k.y * tap_step.x) * p.padded_width + k.z * tap_step.y);
  return transpose(mat4x4f(texel(at.x), texel(at.y), texel(at.z), texel(at.w)));
}

fn places(n: u32) -> vec4u {
  let pixel = vec4u(n, n + 1u, n + 2u, n + 3u);
  let line = pixel / p.grid_width;
  let image = line / p.grid_height;
  var to_y = line - image * p.grid_height;
  var to_x = pixel - line * p.grid_width;
  if (INPUT_GRADIENT) {
    to_y = to_y * p.stride_y + phase.x;
    to_x = to_x * p.stride_x + phase.y;
  }
  let inside = (pixel < vec4u(p.columns)) & (to_y < vec4u(p.out_height)) & (to_x < vec4u(p.out_width));
  return select(vec4u(OUTSIDE), (image * (p.rows * p.out_height) + to_y) * p.out_width + to_x, inside);
}

fn write(m: u32, split: u32, at: vec4u, value: vec4f) {
  if (m >= p.rows) {
    return;
  }
  var v = value;
  if (BIAS) {
    v += f32(bias[m]);
  }
  v = activate4(v, p.slope);
  let row = split * p.split_size + m * p.out_height * p.out_width;
  for (var j = 0u; j < 4u; j++) {
    if (at[j] != OUTSIDE) {
      y[row + at[j]] = RESULT(v[j]);
    }
  }
}
