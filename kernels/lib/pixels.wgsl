// A piece of a line of pixels in registers, for kernels that slide along it: PIXELS neighbours (4 or 8) and what a kernel of
// KW taps reaches on both sides of them, the first LEFT taps to the left.
//
// The kernel binds x in vec4s, and has the image's width in p.width. VECTOR: the width is a multiple of 4.
// Host guarantees: KW is at most 7, LEFT at most 3, and KW - 1 - LEFT at most 4.
//
// Everything is spelled out in vectors, without arrays: SwiftShader keeps an array in memory, and is four times slower then.

/// Values 0 to 15, from LEFT before the first pixel on; those that no tap reaches are zero.
struct Piece {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

/// A value of the line that begins with element `line` of x: zero where that is not `inside`, or the column not in the image.
fn pixel(line: u32, inside: bool, column: u32) -> f32 {
  let ok = inside && column < p.width;
  let i = select(0u, line + column, ok);
  return select(0.0, f32(x[i / 4u][i % 4u]), ok);
}

/// Four of them, from a column on that is a multiple of 4.
fn four(line: u32, inside: bool, column: u32) -> vec4f {
  if (VECTOR) {
    let ok = inside && column < p.width;
    return select(vec4f(), vec4f(x[select(0u, line + column, ok) / 4u]), ok);
  }
  return vec4f(
    pixel(line, inside, column), pixel(line, inside, column + 1u),
    pixel(line, inside, column + 2u), pixel(line, inside, column + 3u),
  );
}

fn piece(line: u32, inside: bool, column: u32) -> Piece {
  var m = four(line, inside, column);
  var n = vec4f();
  if (PIXELS > 4u) {
    n = four(line, inside, column + 4u);
  }
  var left = vec4f();
  if (LEFT > 0u) {
    left.w = pixel(line, inside, column - 1u);
  }
  if (LEFT > 1u) {
    left.z = pixel(line, inside, column - 2u);
  }
  if (LEFT > 2u) {
    left.y = pixel(line, inside, column - 3u);
  }
  var right = vec4f();
  if (KW > LEFT + 1u) {
    right.x = pixel(line, inside, column + PIXELS);
  }
  if (KW > LEFT + 2u) {
    right.y = pixel(line, inside, column + PIXELS + 1u);
  }
  if (KW > LEFT + 3u) {
    right.z = pixel(line, inside, column + PIXELS + 2u);
  }
  if (KW > LEFT + 4u) {
    right.w = pixel(line, inside, column + PIXELS + 3u);
  }
  if (PIXELS == 4u) {
    n = right;
    right = vec4f();
  }
  switch LEFT {
    case 0u: { return Piece(m, n, right, vec4f()); }
    case 1u: { return Piece(after3(left, m), after3(m, n), after3(n, right), after3(right, vec4f())); }
    case 2u: { return Piece(after2(left, m), after2(m, n), after2(n, right), after2(right, vec4f())); }
    default: { return Piece(after1(left, m), after1(m, n), after1(n, right), after1(right, vec4f())); }
  }
}

/// Four values of a and b from the second, third or last of a on.
fn after1(a: vec4f, b: vec4f) -> vec4f {
  return vec4f(a.yzw, b.x);
}

fn after2(a: vec4f, b: vec4f) -> vec4f {
  return vec4f(a.zw, b.xy);
}

fn after3(a: vec4f, b: vec4f) -> vec4f {
  return vec4f(a.w, b.xyz);
}
