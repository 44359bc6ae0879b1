// conv2d of stride 1, gradient of the weight where there are few channels: parts of it, for a second pass to add.
//
//   parts[i, o, c, ky, kx] = sum over the pixels (n, oy, ox) of part i of gy[n, o, oy, ox] x[n, c, oy - pad + ky, ox - LEFT + kx]
//
// x [N, C, H, W], gy [N, O, OH, OW], parts [parts, O, C/G, KH, KW]. A strip is PIXELS neighbouring columns of an image from top
// to bottom; part i has every parts-th strip from the i-th on. An invocation computes all taps of one (o, c) in one part: it
// goes down its strips line by line of x and keeps the lines of gy that this line meets, so that each is loaded once for all
// KH KW taps. A strip begins KH - 1 lines above the image, where x counts as zero, to fill the lines kept.
// z of the workgroup is (o, c).
// X and GY are vec4s. Host guarantees: x and gy are padded to whole vec4s; with VECTOR, W and OW are multiples of 4; KH is at most 7; see also
// lib/pixels.wgsl.

struct Params {
  channels: u32,
  height: u32,
  width: u32,
  out_channels: u32,
  out_height: u32,
  out_width: u32,
  group_channels: u32,
  group_out_channels: u32,
  pad: u32,
  strips: u32,
  strips_per_image: u32,
  parts: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

fn gradient(line: u32, inside: bool, column: u32) -> f32 {
  let ok = inside && column < p.out_width;
  let i = select(0u, line + column, ok);
  return select(0.0, f32(gy[i / 4u][i % 4u]), ok);
}

fn gradient4(line: u32, inside: bool, column: u32) -> vec4f {
  if (VECTOR) {
    let ok = inside && column < p.out_width;
    return select(vec4f(), vec4f(gy[select(0u, line + column, ok) / 4u]), ok);
  }
  return vec4f(
    gradient(line, inside, column), gradient(line, inside, column + 1u),
    gradient(line, inside, column + 2u), gradient(line, inside, column + 3u),
  );
}

/// PIXELS of gy in a line.
struct Line {
  a: vec4f,
  b: vec4f,
}

/// Sums for the taps 0 to 3 and 4 to 7 of a line of the kernel.
struct Taps {
  a: vec4f,
  b: vec4f,
}

/// Over four taps: the sum over j of g[j] values[j + tap], where values are a, b, c one after another.
fn products(g: Line, a: vec4f, b: vec4f, c: vec4f) -> vec4f {
  let sum = g.a.x * a + g.a.y * after1(a, b) + g.a.z * after2(a, b) + g.a.w * after3(a, b);
  if (PIXELS > 4u) {
    return sum + (g.b.x * b + g.b.y * after1(b, c) + g.b.z * after2(b, c) + g.b.w * after3(b, c));
  }
  return sum;
}

fn with_line(t: Taps, g: Line, w: Piece) -> Taps {
  if (KW > 4u) {
    return Taps(t.a + products(g, w.a, w.b, w.c), t.b + products(g, w.b, w.c, w.d));
  }
  return Taps(t.a + products(g, w.a, w.b, w.c), t.b);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let part = group.x * INVOCATIONS + local;
  if (part >= p.parts) {
    return;
  }
  let o = group.z / p.group_channels;
  let tap_channel = group.z - o * p.group_channels;
  let c = o / p.group_out_channels * p.group_channels + tap_channel;
  var t0 = Taps();
  var t1 = Taps();
  var t2 = Taps();
  var t3 = Taps();
  var t4 = Taps();
  var t5 = Taps();
  var t6 = Taps();
  var g0 = Line();
  var g1 = Line();
  var g2 = Line();
  var g3 = Line();
  var g4 = Line();
  var g5 = Line();
  var g6 = Line();
  let lines = p.height + KH - 1u;
  let mine = (p.strips - part + p.parts - 1u) / p.parts;
  var strip = part;
  var image = strip / p.strips_per_image;
  var column = (strip - image * p.strips_per_image) * PIXELS;
  var iy = 1u - KH; // counts on from below zero, as unsigned numbers do
  for (var i = 0u; i < mine * lines; i++) {
    // Line iy of x meets line iy + pad - ky of gy at the tap ky.
    if (KH > 6u) { g6 = g5; }
    if (KH > 5u) { g5 = g4; }
    if (KH > 4u) { g4 = g3; }
    if (KH > 3u) { g3 = g2; }
    if (KH > 2u) { g2 = g1; }
    if (KH > 1u) { g1 = g0; }
    let oy = iy + p.pad;
    let line = ((image * p.out_channels + o) * p.out_height + oy) * p.out_width;
    g0.a = gradient4(line, oy < p.out_height, column);
    if (PIXELS > 4u) {
      g0.b = gradient4(line, oy < p.out_height, column + 4u);
    }
    let w = piece(((image * p.channels + c) * p.height + iy) * p.width, iy < p.height, column);
    t0 = with_line(t0, g0, w);
    if (KH > 1u) { t1 = with_line(t1, g1, w); }
    if (KH > 2u) { t2 = with_line(t2, g2, w); }
    if (KH > 3u) { t3 = with_line(t3, g3, w); }
    if (KH > 4u) { t4 = with_line(t4, g4, w); }
    if (KH > 5u) { t5 = with_line(t5, g5, w); }
    if (KH > 6u) { t6 = with_line(t6, g6, w); }
    iy++;
    if (iy == p.height) {
      iy = 1u - KH;
      strip += p.parts;
      image = strip / p.strips_per_image;
      column = (strip - image * p.strips_per_image) * PIXELS;
    }
  }
  let at = ((part * p.out_channels + o) * p.group_channels + tap_channel) * KH * KW;
  write(at, t0);
  if (KH > 1u) { write(at + KW, t1); }
  if (KH > 2u) { write(at + 2u * KW, t2); }
  if (KH > 3u) { write(at + 3u * KW, t3); }
  if (KH > 4u) { write(at + 4u * KW, t4); }
  if (KH > 5u) { write(at + 5u * KW, t5); }
  if (KH > 6u) { write(at + 6u * KW, t6); }
}

fn write(at: u32, t: Taps) {
  for (var kx = 0u; kx < min(KW, 4u); kx++) {
    parts[at + kx] = t.a[kx];
  }
  for (var kx = 4u; kx < KW; kx++) {
    parts[at + kx] = t.b[kx - 4u];
  }
}
