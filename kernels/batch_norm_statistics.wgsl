// batch_norm where a channel is too long for one workgroup, first dispatch: the moments of its parts.
//
// x [N, C, S] in Lanes; parts [C, parts]: the channel's shift, the part's mean of x - shift, the sum of squared distances
// from that mean, 0.
// A workgroup takes the items part * part_items to (part + 1) * part_items of channel y. The host guarantees that no part
// is empty.

struct Params {
  channels: u32,
  plane: u32,
  step: u32,
  step_column: u32,
  items: u32,
  part_items: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> parts: array<vec4f>;
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
  let shift = shift_of(channel);
  let found = moments(channel, first, end, shift, local);
  if (local == 0u) {
    parts[channel * groups.x + group.x] = vec4f(shift, found, 0.0);
  }
}
