// Packs an image for the packed convolutions, and a weight if there is one, into texels of four neighbouring channels.
//
//   image:  texel (n, c4, y, x) of [N, ceil(C / 4), PH, PW] = image[n, 4 c4 + (0..3), y - top, x - left], 0 outside of it
//   weight: texel (o, tap, r4) of [4 ceil(O / 4), taps, ceil(R / 4)] = weight at o, rows 4 r4 + (0..3), tap; 0 beyond O and R
//
// image [N, C, H, W]; weight (bound always, packed if lines > 0) where row r, outer index o and tap t lie at
// r row_stride + o outer_stride + t. Outer index and rows are input and output channels, one way or the other.
// One invocation per row of texels of the image, then one per line of the weight: an (o, tap). Neither divides per texel.

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

@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;
@group(2) @binding(0) var packed: texture_storage_2d<rgba32float, write>;

fn store(i: u32, value: vec4f) {
  textureStore(packed, vec2u(i & (SCRATCH_WIDTH - 1u), i / SCRATCH_WIDTH), value);
}

fn pack_image_row(row: u32) {
  let plane = row / p.padded_height;
  // Rows and columns outside wrap to large numbers.
  let y = row - plane * p.padded_height - p.top;
  let n = plane / p.channel_groups;
  let c = 4u * (plane - n * p.channel_groups);
  let inside = (vec4u(c, c + 1u, c + 2u, c + 3u) < vec4u(p.channels)) & vec4<bool>(y < p.height);
  let size = p.height * p.width;
  // What lies outside is read from the image's beginning, and not used.
  let start = select(vec4u(), (n * p.channels + c) * size + y * p.width + vec4u(0u, size, 2u * size, 3u * size), inside);
  let to = p.image_at + row * p.padded_width;
  for (var i = 0u; i < p.padded_width; i++) {
    let x = i - p.left;
    let at = start + min(x, p.width - 1u);
    let value = vec4f(image[at.x], image[at.y], image[at.z], image[at.w]);
    store(to + i, select(vec4f(), value, inside & vec4<bool>(x < p.width)));
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
    store(to + i, select(vec4f(), vec4f(weight[at.x], weight[at.y], weight[at.z], weight[at.w]), inside));
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
