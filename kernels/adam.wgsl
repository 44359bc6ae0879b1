// One step of Adam or AdamW for all parameters of a network, four values at a time.
//
//   g = gradient + decay value
//   m = beta1 m + (1 - beta1) g,   s = beta2 s + (1 - beta2) g^2
//   value = shrink value - step_size m / (sqrt(s) root_scale + eps)
//
// The host gives what depends on the number t of the step, in double precision: step_size = lr / (1 - beta1^t) and
// root_scale = 1 / sqrt(1 - beta2^t). Adam's weight decay is in the gradient (decay), AdamW's in the value (shrink =
// 1 - lr weightDecay). Tensors are flat, padded to whole vec4s. Sources: Kingma and Ba 2015; Loshchilov and Hutter 2019.

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
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> exp_avg: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> exp_avg_sq: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.vectors) {
    return;
  }
  let value = values[i];
  let g = gradients[i] + p.decay * value;
  let m = p.beta1 * exp_avg[i] + p.rest1 * g;
  let s = p.beta2 * exp_avg_sq[i] + p.rest2 * g * g;
  exp_avg[i] = m;
  exp_avg_sq[i] = s;
  values[i] = p.shrink * value - p.step_size * m / (sqrt(s) * p.root_scale + p.eps);
}
