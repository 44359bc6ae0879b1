// The gate of attention: a sigmoid that never overflows and stays exact far below zero.

fn sigmoid(a: f32) -> f32 {
  let e = exp(-abs(a));
  return select(e, 1.0, a >= 0.0) / (1.0 + e);
}
