// Gradients of the pixels and of their gates. With s = sigmoid(logits[n, 0, h, w]):
//
//   gx[n, c, h, w] = s gy[n, c, h, w]
//   glogits[n, 0, h, w] = s (1 - s) sum over c of gy[n, c, h, w] x[n, c, h, w]
//
// x, gy, gx [N, C, H, W], logits and glogits [N, 1, H, W].
// A team of WIDTH invocations (lib/team.wgsl) per image and Lanes of pixels, each of which takes every WIDTH-th channel.

struct Params {
  images: u32,
  channels: u32,
  items: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> logits: array<LOGITS>;
@group(0) @binding(2) var<storage, read> gy: array<GY>;
@group(0) @binding(3) var<storage, read_write> gx: array<GX>;
@group(0) @binding(4) var<storage, read_write> glogits: array<GLOGITS>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let output = (group.y * groups.x + group.x) * TEAMS + local % TEAMS;
  let member = local / TEAMS;
  let exists = output < p.images * p.items;
  let o = min(output, p.images * p.items - 1u);
  let n = o / p.items;
  let s = sigmoid_lanes(Lanes(logits[o]));
  let start = n * p.channels * p.items + (o - n * p.items);
  let end = select(0u, start + p.channels * p.items, exists);
  var sum = Lanes();
  for (var i = start + member * p.items; i < end; i += WIDTH * p.items) {
    let g = Lanes(gy[i]);
    gx[i] = GX(s * g);
    sum += g * Lanes(x[i]);
  }
  let total = team_sum(local, sum);
  if (member == 0u && exists) {
    glogits[o] = GLOGITS(s * (1.0 - s) * total);
  }
}
