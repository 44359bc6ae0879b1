// Lanes: the neighbouring values that an invocation handles at a time. Here four; lib/lanes_1 has one, for rows of any
// length. Kernels are written for either.

alias Lanes = vec4f;
const LANES = 4u;

fn lane_sum(a: Lanes) -> f32 {
  return (a.x + a.y) + (a.z + a.w);
}

fn lane_max(a: Lanes) -> f32 {
  return max(max(a.x, a.y), max(a.z, a.w));
}

/// 1 where a = b, else 0.
fn lanes_equal(a: Lanes, b: Lanes) -> Lanes {
  return select(vec4f(), vec4f(1.0), a == b);
}

/// To and from four values, for functions that are written for four.
fn widen(a: Lanes) -> vec4f {
  return a;
}

fn narrow(a: vec4f) -> Lanes {
  return a;
}
