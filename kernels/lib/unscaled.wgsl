// What optimisers do about the loss scale (lib/loss_scale.wgsl). SCALED: whether there is one.

fn skips(loss_scale: LossScale) -> bool {
  return SCALED && loss_scale.overflow != 0u;
}

/// A gradient of the loss itself. Exact: the scale is a power of two.
fn unscaled(gradient: vec4f, loss_scale: LossScale) -> vec4f {
  if (SCALED) {
    return gradient / loss_scale.scale;
  }
  return gradient;
}
