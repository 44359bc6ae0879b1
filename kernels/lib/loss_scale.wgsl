// Dynamic loss scaling: losses are multiplied by a scale, so that small gradients do not vanish in f16 on their way, and the
// optimiser divides by it. Where a gradient is too large for f16 the step is skipped, and the scale falls.
//
// FLAG: u32, or atomic<u32> where many invocations may raise it.

struct LossScale {
  scale: f32,
  /// Steps without overflow since the scale last changed.
  good_steps: f32,
  /// Steps in all that were skipped.
  skipped: f32,
  /// 1 if some gradient of this step is infinite or not a number.
  overflow: FLAG,
}
