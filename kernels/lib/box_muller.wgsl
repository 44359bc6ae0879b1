// Two normal numbers of mean 0 and variance 1 from two uniform ones, u = a / 2^24 and v = b / 2^24 (Box and Muller 1958):
//
//   r (cos(2 pi v), sin(2 pi v)),   r = sqrt(-2 log(1 - u))
//
// WGSL promises little of log near 1 and of sin and cos, so they are computed here: the results are within 1e-6 of the exact
// ones on every device.

/// -log(1 - a / 2^24) with full relative accuracy, 0 <= a < 2^24.
fn exponential(a: u32) -> f32 {
  // 1 - u = m 2^(e - 24) exactly, with 2^-1/2 < m <= 2^1/2.
  let bits = bitcast<u32>(f32(0x1000000u - a));
  var e = i32(bits >> 23u) - 127;
  var m = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
  if (m > 1.41421356) {
    m *= 0.5;
    e += 1;
  }
  // log m = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172: the series is good to 1e-9.
  let s = (m - 1.0) / (m + 1.0);
  let s2 = s * s;
  let log_m = 2.0 * s * (1.0 + s2 * (1.0 / 3.0 + s2 * (1.0 / 5.0 + s2 * (1.0 / 7.0 + s2 * (1.0 / 9.0)))));
  return f32(24 - e) * 0.693147181 - log_m;
}

/// (cos, sin) of b / 2^24 turns, 0 <= b < 2^24.
fn turn(b: u32) -> vec2f {
  // The nearest quarter turn q, and the rest in -pi/4 to pi/4.
  let q = (b + 0x200000u) >> 22u;
  let angle = f32(i32(b) - i32(q << 22u)) * (6.28318531 / 16777216.0);
  let z = angle * angle;
  // Minimax polynomials of S. Moshier's Cephes library.
  let sine = angle + angle * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
  let cosine = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
  let turned = select(vec2f(cosine, sine), vec2f(sine, cosine), (q & 1u) == 1u);
  return select(turned, -turned, vec2<bool>(((q + 1u) & 2u) != 0u, (q & 2u) != 0u));
}

fn box_muller(words: vec2u) -> vec2f {
  return sqrt(2.0 * exponential(words.x)) * turn(words.y);
}
