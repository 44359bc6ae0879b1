// One step of Adam or AdamW for all parameters of a network, four values at a time.
//
//   g = gradient + decay value
//   m = beta1 m + (1 - beta1) g,   s = beta2 s + (1 - beta2) g^2
//   value = shrink value - step_size m / (sqrt(s) root_scale + eps)
//
// The host gives what depends on the number t of the step, in double precision: step_size = lr / (1 - beta1^t) and
// root_scale = 1 / sqrt(1 - beta2^t). Adam's weight decay is in the gradient (decay), AdamW's in the value (shrink =
// 1 - lr weightDecay). SCALED: the host does not know how many steps were skipped, so both are computed here, from the step's
// number and the logarithms of beta1 and beta2. loss_scale is bound always and used if SCALED (lib/loss_scale.wgsl).
// Tensors are flat, padded to whole vec4s. Sources: Kingma and Ba 2015; Loshchilov and Hutter 2019.

struct Params {
  vectors: u32,
  decay: f32,
  shrink: f32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  step_size: f32,
  root_scale: f32,
  eps: f32,
  lr: f32,
  step: f32,
  log_beta1: f32,
  log_beta2: f32,
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> exp_avg: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> exp_avg_sq: array<vec4f>;
@group(0) @binding(4) var<storage, read> loss_scale: array<LossScale>;
@group(1) @binding(0) var<uniform> p: Params;

/// 1 - e^x for x <= 0, exact where e^x is near 1: by the first terms of its series.
fn one_minus_exp(x: f32) -> f32 {
  let series = 1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0)))));
  return select(1.0 - exp(x), -x * series, x > -0.4);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.vectors || skips(loss_scale[0])) {
    return;
  }
  let value = values[i];
  let g = unscaled(gradients[i], loss_scale[0]) + p.decay * value;
  let m = p.beta1 * exp_avg[i] + p.rest1 * g;
  let s = p.beta2 * exp_avg_sq[i] + p.rest2 * g * g;
  exp_avg[i] = m;
  exp_avg_sq[i] = s;
  var step_size = p.step_size;
  var root_scale = p.root_scale;
  if (SCALED) {
    let taken = p.step - loss_scale[0].skipped;
    step_size = p.lr / one_minus_exp(p.log_beta1 * taken);
    root_scale = 1.0 / sqrt(one_minus_exp(p.log_beta2 * taken));
  }
  values[i] = p.shrink * value - step_size * m / (sqrt(s) * root_scale + p.eps);
}
