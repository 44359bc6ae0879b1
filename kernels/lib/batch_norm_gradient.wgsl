// What the kernels of batch_norm's backward pass share. With g = gy activation'(y) and xhat the normalised x:
//
//   gbias = sum of g,   gweight = sum of g xhat                                 over N and S
//   gx = weight / sqrt(variance + eps) (g - gbias / count - xhat gweight / count)
//
// In evaluation, when the statistics do not depend on x, gx = weight / sqrt(variance + eps) g: the host gives 0 for
// 1 / count. The kernel has x, y, gy: array<Lanes>, and in its Params inverse_count and slope.

fn activation_input_gradient(at: u32) -> Lanes {
  return narrow(widen(gy[at]) * activation_derivative4(widen(y[at]), p.slope));
}

/// `sums`: gbias and gweight of the channel.
fn input_gradient(at: u32, statistics: vec4f, weight: f32, sums: vec2f) -> Lanes {
  let means = p.inverse_count * sums;
  let g = activation_input_gradient(at);
  return (weight * statistics.z) * ((g - means.x) - normalised(x[at], statistics) * means.y);
}
