// cbam, first dispatch: mean and maximum of every plane.
//
//   planes[n, c] = (1/(H W) sum over h, w of x[n, c, h, w],  max over h, w of x[n, c, h, w],  ties,  0)
//
// ties: how many values reach the maximum, for the gradient. x [N, C, H, W] in Lanes.
// A team of WIDTH invocations (lib/team.wgsl) per plane, each of which takes every WIDTH-th of its Lanes.

struct Params {
  planes: u32,
  items: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> planes: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let output = (group.y * groups.x + group.x) * TEAMS + local % TEAMS;
  let member = local / TEAMS;
  let plane = min(output, p.planes - 1u);
  let base = plane * p.items;
  var sum = Lanes();
  var largest = Lanes(x[base]);
  var count = Lanes();
  for (var i = member; i < p.items; i += WIDTH) {
    let value = Lanes(x[base + i]);
    let greater = max(largest, value);
    sum += value;
    count = count * lanes_equal(largest, greater) + lanes_equal(value, greater);
    largest = greater;
  }
  let total = lane_sum(team_sum(local, sum));
  let peak = lane_max(team_max(local, largest));
  let reached = lane_sum(team_sum(local, count * lanes_equal(largest, Lanes(peak))));
  if (member == 0u && output < p.planes) {
    planes[plane] = vec4f(total / f32(p.items * LANES), peak, reached, 0.0);
  }
}
