// Sums that carry their rounding error along (Knuth's two-sum): gradients that cancel, such as a bias's under the hinge loss,
// come out as zero and not as noise, which Adam would blow up to full steps.
//
// The kernel's Params have zero: 0, which the compiler does not know: it keeps it from simplifying the rounding error away.

/// The total of a and b with what rounding lost: a.x + b.x is result.x + result.y - a.y - b.y exactly.
fn two_sum(a: vec2f, b: vec2f) -> vec2f {
  let s = bitcast<f32>(bitcast<u32>(a.x + b.x) ^ p.zero);
  let z = bitcast<f32>(bitcast<u32>(s - a.x) ^ p.zero);
  return vec2f(s, (a.x - bitcast<f32>(bitcast<u32>(s - z) ^ p.zero)) + (b.x - z) + (a.y + b.y));
}
