// The windows that pooling lays over each plane of x [N, C, H, W] to make y [N, C, OH, OW], axis by axis, as half-open ranges.
//
//   ADAPTIVE:  output o of O covers inputs floor(o I / O) to ceil((o + 1) I / O)
//   else:      output o covers inputs o stride - padding to o stride - padding + kernel, where they lie in the image
//
// Host guarantees: padding is at most half of kernel, so that no window lies in the padding alone.

struct Params {
  size: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride_height: u32,
  stride_width: u32,
  padding_height: u32,
  padding_width: u32,
}

@group(1) @binding(0) var<uniform> p: Params;

struct Axis {
  inputs: u32,
  outputs: u32,
  kernel: u32,
  stride: u32,
  padding: u32,
}

fn rows() -> Axis {
  return Axis(p.height, p.out_height, p.kernel_height, p.stride_height, p.padding_height);
}

fn columns() -> Axis {
  return Axis(p.width, p.out_width, p.kernel_width, p.stride_width, p.padding_width);
}

/// The inputs that output o covers.
fn window(o: u32, a: Axis) -> vec2u {
  if (ADAPTIVE) {
    return vec2u(o * a.inputs / a.outputs, ((o + 1u) * a.inputs + a.outputs - 1u) / a.outputs);
  }
  let start = o * a.stride;
  return vec2u(max(start, a.padding), min(start + a.kernel, a.inputs + a.padding)) - a.padding;
}

/// What the mean over the window of output o divides by: padding counts as zeros.
fn window_length(o: u32, a: Axis) -> u32 {
  if (ADAPTIVE) {
    let inside = window(o, a);
    return inside.y - inside.x;
  }
  return a.kernel;
}

/// The outputs whose windows cover input i. Adaptive windows are the same seen from either side.
fn covering(i: u32, a: Axis) -> vec2u {
  if (ADAPTIVE) {
    return vec2u(i * a.outputs / a.inputs, ((i + 1u) * a.outputs + a.inputs - 1u) / a.inputs);
  }
  let last = i + a.padding;
  let first = select(0u, (last - a.kernel) / a.stride + 1u, last >= a.kernel);
  return vec2u(first, min(last / a.stride + 1u, a.outputs));
}
