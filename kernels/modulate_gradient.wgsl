// Gradients of modulate. With g = gy activation'(y):
//
//   gx[n, c, s] = factors[n, c] g[n, c, s]                                               written if INPUT, bound always
//   gfactors[n, c] = sum over s of g x,   gfactors[n, C + c] = sum over s of g
//
// x, y, gy, gx [N, C, S] in Lanes; factors, gfactors [N, 2 C].
// A team of WIDTH invocations (lib/team.wgsl) per plane, each of which takes every WIDTH-th of its Lanes.

struct Params {
  planes: u32,
  channels: u32,
  plane: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<Y>;
@group(0) @binding(3) var<storage, read> gy: array<GY>;
@group(0) @binding(4) var<storage, read_write> gx: array<GX>;
@group(0) @binding(5) var<storage, read_write> gfactors: array<f32>;
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
  let first = plane + plane / p.channels * p.channels;
  let scale = factors[first];
  let base = plane * p.plane;
  // A team too many finds nothing to do: it must not write what another one writes.
  let items = select(0u, p.plane, output < p.planes);
  var products = Lanes();
  var sum = Lanes();
  for (var i = member; i < items; i += WIDTH) {
    let g = narrow(widen(Lanes(gy[base + i])) * activation_derivative4(widen(Lanes(y[base + i])), p.slope));
    products += g * Lanes(x[base + i]);
    sum += g;
    if (INPUT) {
      gx[base + i] = GX(scale * g);
    }
  }
  let of_scale = lane_sum(team_sum(local, products));
  let of_offset = lane_sum(team_sum(local, sum));
  if (member == 0u && output < p.planes) {
    gfactors[first] = of_scale;
    gfactors[first + p.channels] = of_offset;
  }
}
