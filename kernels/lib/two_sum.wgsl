// Sums that carry their rounding error along (Knuth's two-sum): gradients that cancel, such as a bias's under the hinge loss,
// come out as zero and not as noise, which Adam would blow up to full steps.
//
// The kernel's Params have zero: 0, which the compiler does not know: it keeps it from simplifying the rounding error away.

/// x, of which the compiler knows nothing.
fn opaque(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ p.zero);
}

/// The total of a and b with what rounding lost: a.x + b.x is result.x + result.y - a.y - b.y exactly. Each difference is opaque,
/// for compilers that add in any order they like (Metal's).
fn two_sum(a: vec2f, b: vec2f) -> vec2f {
  let s = opaque(a.x + b.x);
  let z = opaque(s - a.x);
  return vec2f(s, (opaque(a.x - opaque(s - z)) + opaque(b.x - z)) + (a.y + b.y));
}
