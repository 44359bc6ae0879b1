// The gate of attention: a sigmoid that never overflows and stays exact far below zero.

fn sigmoid(a: f32) -> f32 {
  let e = exp(-abs(a));
  return select(e, 1.0, a >= 0.0) / (1.0 + e);
}

fn sigmoid_lanes(a: Lanes) -> Lanes {
  let e = exp(-abs(a));
  return select(e, Lanes(1.0), a >= Lanes()) / (1.0 + e);
}
