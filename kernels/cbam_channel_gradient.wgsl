// cbam's way back: to the channels' gates, before their sigmoid. With g the gradient of the gated x (lib/cbam_pixel.wgsl):
//
//   glogits[n, c] = gate (1 - gate) sum over h, w of g[n, c, h, w] x[n, c, h, w],   gate = planes[n, c].w
//
// x and gz, the gradient of x gate attention, [N, C, H, W] in Lanes.
// A team of WIDTH invocations (lib/team.wgsl) per plane, each of which takes every WIDTH-th of its Lanes.

struct Params {
  planes: u32,
  channels: u32,
  items: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> gz: array<GZ>;
@group(0) @binding(2) var<storage, read> planes: array<vec4f>;
@group(0) @binding(3) var<storage, read> attention: array<Lanes>;
@group(0) @binding(4) var<storage, read> pixels: array<Lanes>;
@group(0) @binding(5) var<storage, read> ties: array<Lanes>;
@group(0) @binding(6) var<storage, read> gpixels: array<Lanes>;
@group(0) @binding(7) var<storage, read_write> glogits: array<f32>;
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
  let n = plane / p.channels;
  let gate = planes[plane].w;
  let base = plane * p.items;
  var sum = Lanes();
  for (var item = select(p.items, member, output < p.planes); item < p.items; item += WIDTH) {
    let value = Lanes(x[base + item]);
    sum += value * gated_gradient(pixel_at(n, item), value * gate, Lanes(gz[base + item]));
  }
  let total = lane_sum(team_sum(local, sum));
  if (member == 0u && output < p.planes) {
    glogits[plane] = gate * (1.0 - gate) * total;
  }
}
