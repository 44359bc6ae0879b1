// What each image of a spectrogram augmentation gets: see src/reference/spectrogramAugment.ts, whose words these are.
//
// The host guarantees: mask widths and shifts do not exceed the image, shapes are below 2^31 elements.

struct Params {
  /// Strips of all rows, and of one.
  strips: u32,
  row_strips: u32,
  channels: u32,
  height: u32,
  width: u32,
  noises: u32,
  seed_low: u32,
  seed_high: u32,
  stream: u32,
  time_shift: u32,
  frequency_shift: u32,
  gain: f32,
  background: u32,
  fade: f32,
  slope: f32,
  time_mask: u32,
  frequency_mask: u32,
  cutout: u32,
}

struct Augmentation {
  dt: i32,
  df: i32,
  gain: f32,
  /// Index of the background, or `noises` for none.
  noise: u32,
  fade: f32,
  /// First masked column and row, and the first that is not masked again.
  columns: vec2u,
  rows: vec2u,
  /// The same of the square.
  hole_columns: vec2u,
  hole_rows: vec2u,
}

fn unit(word: u32) -> f32 {
  return f32(word >> 8u) * 0x1p-24;
}

/// The part of the square in an extent of the image, with its middle at `at`.
fn hole(at: u32, extent: u32) -> vec2u {
  let first = i32(at) - i32(p.cutout / 2u);
  return vec2u(vec2i(max(0, first), clamp(first + i32(p.cutout), 0, i32(extent))));
}

fn augmentation(n: u32) -> Augmentation {
  let key = vec2u(p.seed_low, p.seed_high);
  let a = philox4x32(vec4u(3u * n, p.stream, 1u, 0u), key);
  let b = philox4x32(vec4u(3u * n + 1u, p.stream, 1u, 0u), key);
  let c = philox4x32(vec4u(3u * n + 2u, p.stream, 1u, 0u), key);
  let columns = multiply_high(b.z, p.time_mask + 1u);
  let rows = multiply_high(c.x, p.frequency_mask + 1u);
  let column = multiply_high(b.w, p.width - columns + 1u);
  let row = multiply_high(c.y, p.height - rows + 1u);
  var drawn: Augmentation;
  drawn.dt = i32(multiply_high(a.x, 2u * p.time_shift + 1u)) - i32(p.time_shift);
  drawn.df = i32(multiply_high(a.y, 2u * p.frequency_shift + 1u)) - i32(p.frequency_shift);
  drawn.gain = (2.0 * unit(a.z) - 1.0) * p.gain;
  drawn.noise = select(p.noises, multiply_high(b.x, p.noises), (a.w >> 8u) < p.background);
  drawn.fade = unit(b.y) * p.fade;
  drawn.columns = vec2u(column, column + columns);
  drawn.rows = vec2u(row, row + rows);
  drawn.hole_columns = hole(multiply_high(c.z, p.width), p.width);
  drawn.hole_rows = hole(multiply_high(c.w, p.height), p.height);
  return drawn;
}

fn within(i: u32, range: vec2u) -> bool {
  return i >= range.x && i < range.y;
}

fn masked(drawn: Augmentation, h: u32, w: u32) -> bool {
  let in_hole = within(h, drawn.hole_rows) && within(w, drawn.hole_columns);
  return within(h, drawn.rows) || within(w, drawn.columns) || in_hole;
}

/// Where a column comes from: (w - dt) mod W.
fn rolled(w: u32, dt: i32) -> u32 {
  let shifted = i32(w) - dt;
  let width = i32(p.width);
  return u32(select(select(shifted, shifted - width, shifted >= width), shifted + width, shifted < 0));
}
