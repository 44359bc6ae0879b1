// cbam's way back, first dispatch: through the activation, and to the pixels' attention.
//
//   gz[n, c, h, w] = gy[n, c, h, w] activation'(y[n, c, h, w])            also the gradient of the residual
//   gattention[n, 0, h, w] = sum over c of gz[n, c, h, w] x[n, c, h, w] planes[n, c].w
//
// y, gy, x, gz [N, C, H, W], gattention [N, 1, H, W], all in Lanes. Without an activation gz is gy: y is bound and not read,
// gz bound and not written.
// A team of WIDTH invocations (lib/team.wgsl) per image and Lanes of pixels, each of which takes every WIDTH-th channel.

struct Params {
  images: u32,
  channels: u32,
  items: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> y: array<Y>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read> x: array<X>;
@group(0) @binding(3) var<storage, read> planes: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> gz: array<GZ>;
@group(0) @binding(5) var<storage, read_write> gattention: array<Lanes>;
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
  let item = o - n * p.items;
  var sum = Lanes();
  for (var c = select(p.channels, member, exists); c < p.channels; c += WIDTH) {
    let plane = n * p.channels + c;
    let i = plane * p.items + item;
    var g = Lanes(gy[i]);
    if (ACTIVATION != 0u) {
      g *= narrow(activation_derivative4(widen(Lanes(y[i])), p.slope));
      gz[i] = GZ(g);
    }
    sum += g * (Lanes(x[i]) * planes[plane].w);
  }
  let total = team_sum(local, sum);
  if (member == 0u && exists) {
    gattention[o] = total;
  }
}
