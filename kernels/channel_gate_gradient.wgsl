// Gradients of the planes and of their gates. With s = sigmoid(logits[n, c] + logits[N + n, c]):
//
//   gx[n, c, h, w] = s gy[n, c, h, w]
//   glogits[n, c] = glogits[N + n, c] = s (1 - s) sum over h, w of gy[n, c, h, w] x[n, c, h, w]
//
// x, gy, gx [N, C, H, W], logits and glogits [2 N, C].
// A team of WIDTH invocations (lib/team.wgsl) per plane, each of which takes every WIDTH-th of its Lanes.

struct Params {
  planes: u32,
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
  let plane = min(output, p.planes - 1u);
  let s = sigmoid(f32(logits[plane]) + f32(logits[p.planes + plane]));
  let end = select(0u, (plane + 1u) * p.items, output < p.planes);
  var sum = Lanes();
  for (var i = plane * p.items + member; i < end; i += WIDTH) {
    let g = Lanes(gy[i]);
    gx[i] = GX(s * g);
    sum += g * Lanes(x[i]);
  }
  let total = GLOGITS(s * (1.0 - s) * lane_sum(team_sum(local, sum)));
  if (member == 0u && output < p.planes) {
    glogits[plane] = total;
    glogits[p.planes + plane] = total;
  }
}
