// The loss scale of the next step, after an optimiser has used or skipped this one. One invocation.
//
// After an overflow it falls by `backoff`; after `interval` steps without one it rises by `growth`; it stays within
// `least` and `most`.

struct Params {
  growth: f32,
  backoff: f32,
  interval: f32,
  least: f32,
  most: f32,
}

@group(0) @binding(0) var<storage, read_write> loss_scale: array<LossScale>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(1)
fn main() {
  let now = loss_scale[0];
  var next = now;
  next.good_steps += 1.0;
  if (now.overflow != 0u) {
    next = LossScale(max(p.least, p.backoff * now.scale), 0.0, now.skipped + 1.0, 0u);
  } else if (next.good_steps >= p.interval) {
    next = LossScale(min(p.most, p.growth * now.scale), 0.0, now.skipped, 0u);
  }
  loss_scale[0] = next;
}
