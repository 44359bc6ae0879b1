// batch_norm where a channel is too long for one workgroup, second dispatch: a channel's statistics.
//
// TRAINING: from the moments of its parts, put together in order, and the running statistics move; otherwise from the
// running statistics.
// parts [C, parts] as batch_norm_statistics left them (bound always, read if TRAINING); running_mean, running_var [C];
// statistics [C]: see lib/batch_norm.wgsl. One invocation per channel.

struct Params {
  channels: u32,
  count: u32,
  parts: u32,
  part_count: u32,
  momentum: f32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> parts: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> running_var: array<f32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

/// Values in a part; the last one may be shorter.
fn count_of(part: u32) -> f32 {
  return f32(min(p.part_count, p.count - part * p.part_count));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let channel = id.x;
  if (channel >= p.channels) {
    return;
  }
  if (!TRAINING) {
    statistics[channel] = statistics_of(running_mean[channel], 0.0, running_var[channel], p.eps);
    return;
  }
  let row = channel * p.parts;
  var offset = 0.0;
  for (var part = 0u; part < p.parts; part++) {
    offset += count_of(part) * parts[row + part].y;
  }
  offset /= f32(p.count);
  var squares = 0.0;
  for (var part = 0u; part < p.parts; part++) {
    let moments = parts[row + part];
    let away = moments.y - offset;
    squares += moments.z + count_of(part) * away * away;
  }
  let shift = parts[row].x;
  statistics[channel] = statistics_of(shift, offset, squares / f32(p.count), p.eps);
  update_running(channel, shift + offset, squares);
}
