// What the kernels of batch_norm's backward pass share. With g = gy activation'(y) and xhat the normalised x:
//
//   gbias = sum of g,   gweight = sum of g xhat                                 over N and S
//   gx = weight / sqrt(variance + eps) (g - gbias / count - xhat gweight / count)
//
// In evaluation, when the statistics do not depend on x, gx = weight / sqrt(variance + eps) g: the host gives 0 for the
// kernels' inverse_count. The kernel has x, y, gy with elements of Lanes, in f32 or f16, and in its Params slope.

fn activation_input_gradient(at: u32) -> Lanes {
  return narrow(widen(Lanes(gy[at])) * activation_derivative4(widen(Lanes(y[at])), p.slope));
}

/// `means`: gbias / count and gweight / count of the channel.
fn input_gradient(at: u32, statistics: vec4f, weight: f32, means: vec2f) -> Lanes {
  let g = activation_input_gradient(at);
  return (weight * statistics.z) * ((g - means.x) - normalised(Lanes(x[at]), statistics) * means.y);
}
