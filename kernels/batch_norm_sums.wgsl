// batch_norm's backward pass where a channel is too long for one workgroup, first dispatch: sums over its parts.
//
// x, y, gy [N, C, S] in Lanes; statistics [C] as forward left them; parts [C, parts]: sums of g and of g xhat
// (lib/batch_norm_gradient.wgsl). A workgroup takes the items part * part_items to (part + 1) * part_items of channel y.

struct Params {
  channels: u32,
  plane: u32,
  step: u32,
  step_column: u32,
  items: u32,
  part_items: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> y: array<Y>;
@group(0) @binding(2) var<storage, read> gy: array<GY>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let channel = group.y;
  let first = group.x * p.part_items;
  let end = min(p.items, first + p.part_items);
  let sums = gradient_sums(channel, first, end, statistics[channel], local);
  if (local == 0u) {
    parts[channel * groups.x + group.x] = sums;
  }
}
