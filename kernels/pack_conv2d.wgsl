// Packs an image for the packed convolutions, and a weight if there is one, into texels of four neighbouring channels.
//
//   image:  texel (n, c4, y, x) of [N, ceil(C / 4), PH, PW] = image[n, 4 c4 + (0..3), y - top, x - left], 0 outside of it
//   weight: texel (o, tap, r4) of [4 ceil(O / 4), taps, ceil(R / 4)] = weight at o, rows 4 r4 + (0..3), tap; 0 beyond O and R
//
// image [N, C, H, W]; weight (bound always, packed if lines > 0) where row r, outer index o and tap t lie at
// r row_stride + o outer_stride + t. Outer index and rows are input and output channels, one way or the other.
// One invocation per row of texels of the image, then one per line of the weight: an (o, tap). Neither divides per texel.
// Lanes: lib/lanes_4 where rows of the image are whole vec4s, else lib/lanes_1.

struct Params {
  image_rows: u32,
  channels: u32,
  channel_groups: u32,
  height: u32,
  width: u32,
  padded_height: u32,
  padded_width: u32,
  top: u32,
  left: u32,
  image_at: u32,
  lines: u32,
  outer: u32,
  taps: u32,
  rows: u32,
  row_groups: u32,
  row_stride: u32,
  outer_stride: u32,
  weight_at: u32,
}

@group(0) @binding(0) var<storage, read> image: array<IMAGE>;
@group(0) @binding(1) var<storage, read> weight: array<WEIGHT>;
@group(1) @binding(0) var<uniform> p: Params;
@group(2) @binding(0) var packed: texture_storage_2d<rgba32float, write>;

fn store(i: u32, value: vec4f) {
  textureStore(packed, vec2u(i & (SCRATCH_WIDTH - 1u), i / SCRATCH_WIDTH), value);
}

/// Texels of the LANES pixels from x: the four channels that begin at `start`, of which some may not exist.
fn texels(start: vec4u, x: u32, exists: vec4<bool>) -> mat4x4f {
  let at = (start + x) / LANES;
  let a = select(vec4f(), vec4f(Lanes(image[at.x])), exists.x);
  let b = select(vec4f(), vec4f(Lanes(image[at.y])), exists.y);
  let c = select(vec4f(), vec4f(Lanes(image[at.z])), exists.z);
  let d = select(vec4f(), vec4f(Lanes(image[at.w])), exists.w);
  return transpose(mat4x4f(a, b, c, d));
}

fn pack_image_row(row: u32) {
  let plane = row / p.padded_height;
  let n = plane / p.channel_groups;
  let c = 4u * (plane - n * p.channel_groups) + vec4u(0u, 1u, 2u, 3u);
  // Rows above the image wrap to large numbers.
  let y = row - plane * p.padded_height - p.top;
  let exists = (c < vec4u(p.channels)) & vec4<bool>(y < p.height);
  // What does not exist is read from the image's beginning, and not used.
  let start = select(vec4u(), ((n * p.channels + c) * p.height + y) * p.width, exists);
  let to = p.image_at + row * p.padded_width;
  for (var i = 0u; i < p.left; i++) {
    store(to + i, vec4f());
  }
  for (var x = 0u; x < p.width; x += LANES) {
    let columns = texels(start, x, exists);
    for (var j = 0u; j < LANES; j++) {
      if (p.left + x + j < p.padded_width) {
        store(to + p.left + x + j, columns[j]);
      }
    }
  }
  for (var i = p.left + p.width; i < p.padded_width; i++) {
    store(to + i, vec4f());
  }
}

fn pack_weight_line(line: u32) {
  let o = line / p.taps;
  let start = o * p.outer_stride + line - o * p.taps;
  let to = p.weight_at + line * p.row_groups;
  for (var i = 0u; i < p.row_groups; i++) {
    let r = vec4u(4u * i, 4u * i + 1u, 4u * i + 2u, 4u * i + 3u);
    let inside = (r < vec4u(p.rows)) & vec4<bool>(o < p.outer);
    let at = select(vec4u(), start + r * p.row_stride, inside);
    store(to + i, select(vec4f(), vec4f(vec4<WEIGHT>(weight[at.x], weight[at.y], weight[at.z], weight[at.w])), inside));
  }
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = 8u * (group.y * groups.x + group.x) + local;
  if (i < p.image_rows) {
    pack_image_row(i);
  } else if (i < p.image_rows + p.lines) {
    pack_weight_line(i - p.image_rows);
  }
}
