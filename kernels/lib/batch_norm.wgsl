// What the batch_norm kernels share.
//
// A channel's statistics are a vec4f: shift, offset, 1 / sqrt(variance + eps), 0, and its mean is shift + offset. The shift
// is one of the channel's values, so that (x - shift) - offset keeps all digits where the mean is far larger than the
// deviation: float32 has no room for such a mean itself.

fn normalised(x: Lanes, statistics: vec4f) -> Lanes {
  return ((x - statistics.x) - statistics.y) * statistics.z;
}

fn statistics_of(shift: f32, offset: f32, variance: f32, eps: f32) -> vec4f {
  return vec4f(shift, offset, 1.0 / sqrt(variance + eps), 0.0);
}
