// batch_norm in one dispatch: a workgroup is a channel.
//
//   y = activation((x - mean) / sqrt(variance + eps) * weight[c] + bias[c])
//
// TRAINING: mean and (biased) variance are those of the channel's N S values, and move the running ones; otherwise they
// are the running ones.
// weight and bias, bound always, are read if AFFINE; otherwise they are 1 and 0.
// x, y [N, C, S] in Lanes; weight, bias, running_mean, running_var [C]; statistics [C]: see lib/batch_norm.wgsl.
// A workgroup of WIDTH invocations takes its channel's items in turn: once for the moments, once to normalise.

struct Params {
  channels: u32,
  plane: u32,
  step: u32,
  step_column: u32,
  items: u32,
  count: u32,
  momentum: f32,
  eps: f32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> running_var: array<f32>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let channel = group.x;
  var own: vec4f;
  if (TRAINING) {
    let shift = shift_of(channel);
    let found = moments(channel, 0u, p.items, shift, local);
    own = statistics_of(shift, found.x, found.y / f32(p.count), p.eps);
    if (local == 0u) {
      update_running(channel, shift + found.x, found.y);
    }
  } else {
    own = statistics_of(running_mean[channel], 0.0, running_var[channel], p.eps);
  }
  if (local == 0u) {
    statistics[channel] = own;
  }
  var scale = 1.0;
  var offset = 0.0;
  if (AFFINE) {
    scale = weight[channel];
    offset = bias[channel];
  }
  var place = place_of(channel, local);
  for (var i = local; i < p.items; i += WIDTH) {
    y[place.at] = Y(narrow(activate4(widen(normalised(Lanes(x[place.at]), own) * scale + offset), p.slope)));
    place = next(place);
  }
}
