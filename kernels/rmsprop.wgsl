// One step of RMSprop for all parameters of a network, four values at a time.
//
//   g = gradient + decay value
//   s = alpha s + (1 - alpha) g^2,   d = g / (sqrt(s) + eps)
//   MOMENTUM: b = momentum b + d, and then d = b
//   value = value - lr d
//
// momentum_buffer is bound always and used if MOMENTUM, loss_scale if SCALED (lib/loss_scale.wgsl). Tensors are flat, padded
// to whole vec4s.
// Source: Tieleman and Hinton 2012, with PyTorch's place of eps.

struct Params {
  vectors: u32,
  lr: f32,
  alpha: f32,
  rest: f32,
  eps: f32,
  momentum: f32,
  decay: f32,
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> square_avg: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> momentum_buffer: array<vec4f>;
@group(0) @binding(4) var<storage, read> loss_scale: array<LossScale>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.vectors || skips(loss_scale[0])) {
    return;
  }
  let value = values[i];
  let g = unscaled(gradients[i], loss_scale[0]) + p.decay * value;
  let s = p.alpha * square_avg[i] + p.rest * g * g;
  square_avg[i] = s;
  var d = g / (sqrt(s) + p.eps);
  if (MOMENTUM) {
    d += p.momentum * momentum_buffer[i];
    momentum_buffer[i] = d;
  }
  values[i] = value - p.lr * d;
}
