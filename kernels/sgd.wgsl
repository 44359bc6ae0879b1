// One step of stochastic gradient descent for all parameters of a network, four values at a time.
//
//   g = gradient + decay value
//   MOMENTUM: b = momentum b + g, and then g = b, or with NESTEROV g = g + momentum b
//   value = value - lr g
//
// momentum_buffer is bound always and used if MOMENTUM, loss_scale if SCALED (lib/loss_scale.wgsl). Tensors are flat, padded to whole vec4s.

struct Params {
  vectors: u32,
  lr: f32,
  momentum: f32,
  decay: f32,
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> momentum_buffer: array<vec4f>;
@group(0) @binding(3) var<storage, read> loss_scale: array<LossScale>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.vectors || skips(loss_scale[0])) {
    return;
  }
  let value = values[i];
  var g = unscaled(gradients[i], loss_scale[0]) + p.decay * value;
  if (MOMENTUM) {
    let b = p.momentum * momentum_buffer[i] + g;
    momentum_buffer[i] = b;
    if (NESTEROV) {
      g += p.momentum * b;
    } else {
      g = b;
    }
  }
  values[i] = value - p.lr * g;
}
