// cbam, third dispatch: maximum and mean over the channels of every pixel of the gated x, one after the other.
//
//   gated[n, c, h, w] = x[n, c, h, w] planes[n, c].w
//   pixels[n, 0, h, w] = max over c of gated[n, c, h, w],   pixels[n, 1, h, w] = 1/C sum over c of gated[n, c, h, w]
//
// ties [N, H, W]: how many channels reach the maximum, for the gradient. x [N, C, H, W], pixels [N, 2, H, W], all in Lanes.
// A team of WIDTH invocations (lib/team.wgsl) per image and Lanes of pixels, each of which takes every WIDTH-th channel.

struct Params {
  images: u32,
  channels: u32,
  items: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> planes: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> pixels: array<Lanes>;
@group(0) @binding(3) var<storage, read_write> ties: array<Lanes>;
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
  let item = o - n * p.items;
  let plane = n * p.channels;
  var sum = Lanes();
  var largest = Lanes(x[plane * p.items + item]) * planes[plane].w;
  var count = Lanes();
  for (var c = member; c < p.channels; c += WIDTH) {
    let value = Lanes(x[(plane + c) * p.items + item]) * planes[plane + c].w;
    let greater = max(largest, value);
    sum += value;
    count = count * lanes_equal(largest, greater) + lanes_equal(value, greater);
    largest = greater;
  }
  let total = team_sum(local, sum);
  let peak = team_max(local, largest);
  let reached = team_sum(local, count * lanes_equal(largest, peak));
  if (member == 0u && output < p.images * p.items) {
    let pair = (2u * n) * p.items + item;
    pixels[pair] = peak;
    pixels[pair + p.items] = total / f32(p.channels);
    ties[o] = reached;
  }
}
