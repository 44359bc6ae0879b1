// Lanes: the neighbouring values that an invocation handles at a time. Here one; lib/lanes_4 has four, for rows whose
// length is a multiple of four. Kernels are written for either.

alias Lanes = f32;
const LANES = 1u;

fn lane_sum(a: Lanes) -> f32 {
  return a;
}

fn lane_max(a: Lanes) -> f32 {
  return a;
}

/// 1 where a = b, else 0.
fn lanes_equal(a: Lanes, b: Lanes) -> Lanes {
  return select(0.0, 1.0, a == b);
}

/// To and from four values, for functions that are written for four.
fn widen(a: Lanes) -> vec4f {
  return vec4f(a);
}

fn narrow(a: vec4f) -> Lanes {
  return a.x;
}
