// Maximum and mean over the channels of every pixel, one after the other.
//
//   y[n, 0, h, w] = max over c of x[n, c, h, w],   y[n, 1, h, w] = 1/C sum over c of x[n, c, h, w]
//
// x [N, C, H, W], y [N, 2, H, W], ties [N, H, W]: how many channels reach the maximum, for the gradient.
// A team of WIDTH invocations (lib/team.wgsl) per image and Lanes of pixels, each of which takes every WIDTH-th channel.

struct Params {
  images: u32,
  channels: u32,
  items: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(0) @binding(2) var<storage, read_write> ties: array<Lanes>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let output = (group.y * groups.x + group.x) * TEAMS + local % TEAMS;
  let member = local / TEAMS;
  let o = min(output, p.images * p.items - 1u);
  let n = o / p.items;
  let pixel = o - n * p.items;
  let start = n * p.channels * p.items + pixel;
  let end = start + p.channels * p.items;
  var sum = Lanes();
  var largest = Lanes(x[start]);
  var count = Lanes();
  for (var i = start + member * p.items; i < end; i += WIDTH * p.items) {
    let value = Lanes(x[i]);
    let greater = max(largest, value);
    sum += value;
    count = count * lanes_equal(largest, greater) + lanes_equal(value, greater);
    largest = greater;
  }
  let total = team_sum(local, sum);
  let peak = team_max(local, largest);
  let reached = team_sum(local, count * lanes_equal(largest, peak));
  if (member == 0u && output < p.images * p.items) {
    y[2u * n * p.items + pixel] = Y(peak);
    y[(2u * n + 1u) * p.items + pixel] = Y(total / f32(p.channels));
    ties[o] = reached;
  }
}
