// batch_norm's backward pass in one dispatch: a workgroup is a channel. The formulas are in lib/batch_norm_gradient.wgsl.
//
// x, y, gy, gx [N, C, S] in Lanes; statistics [C] as forward left them; weight, gweight, gbias [C].
// gx is bound always and written if INPUT; weight is bound always and read if AFFINE, otherwise it is 1.
// A workgroup of WIDTH invocations takes its channel's items in turn: once for the sums, once for gx.

struct Params {
  channels: u32,
  plane: u32,
  step: u32,
  step_column: u32,
  items: u32,
  inverse_count: f32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> y: array<Y>;
@group(0) @binding(2) var<storage, read> gy: array<GY>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> gx: array<GX>;
@group(0) @binding(6) var<storage, read_write> gweight: array<f32>;
@group(0) @binding(7) var<storage, read_write> gbias: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let channel = group.x;
  let own = statistics[channel];
  let sums = gradient_sums(channel, 0u, p.items, own, local);
  if (local == 0u) {
    gbias[channel] = sums.x;
    gweight[channel] = sums.y;
  }
  if (INPUT) {
    var own_weight = 1.0;
    if (AFFINE) {
      own_weight = weight[channel];
    }
    let means = p.inverse_count * sums;
    var place = place_of(channel, local);
    for (var i = local; i < p.items; i += WIDTH) {
      gx[place.at] = GX(input_gradient(place.at, own, own_weight, means));
      place = next(place);
    }
  }
}
