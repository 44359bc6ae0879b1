// The gradient of what a product ends with, y = activation(z + bias[c]): of z, and its sum per channel.
//
//   gz[n, c, s] = gy[n, c, s] activation'(z[n, c, s] + bias[c]),   gbias[c] = sum over n, s of gz[n, c, s]
//
// y, gy, gz [N, C, S] in Lanes; the derivative is taken from y. Workgroup (part, channel) of WIDTH invocations takes the
// channel's items part * part_items to (part + 1) * part_items; no part is empty.
// WHOLE: a channel is one part, and sums [C] is gbias; else sums [C, parts, 2] are totals and what rounding lost of them
// (lib/two_sum.wgsl), to be added up by another dispatch.

struct Params {
  channels: u32,
  plane: u32,
  step: u32,
  step_column: u32,
  items: u32,
  part_items: u32,
  slope: f32,
  zero: u32,
}

@group(0) @binding(0) var<storage, read> y: array<Y>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read_write> gz: array<GZ>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> partial: array<vec2f, WIDTH>;

/// The total and a Lanes' values, one after another.
fn add_lanes(total: vec2f, g: vec4f) -> vec2f {
  var sum = two_sum(total, vec2f(g.x, 0.0));
  if (LANES == 4u) {
    sum = two_sum(sum, vec2f(g.y, 0.0));
    sum = two_sum(sum, vec2f(g.z, 0.0));
    sum = two_sum(sum, vec2f(g.w, 0.0));
  }
  return sum;
}

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let channel = group.y;
  let first = group.x * p.part_items;
  let end = min(p.items, first + p.part_items);
  var total = vec2f();
  var place = place_of(channel, first + local);
  for (var i = first + local; i < end; i += WIDTH) {
    let g = widen(Lanes(gy[place.at])) * activation_derivative4(widen(Lanes(y[place.at])), p.slope);
    gz[place.at] = GZ(narrow(g));
    total = add_lanes(total, g);
    place = next(place);
  }
  partial[local] = total;
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      partial[local] = two_sum(partial[local], partial[local + half]);
    }
  }
  if (local == 0u) {
    if (WHOLE) {
      sums[channel] = partial[0].x + partial[0].y;
    } else {
      let at = 2u * (channel * groups.x + group.x);
      sums[at] = partial[0].x;
      sums[at + 1u] = partial[0].y;
    }
  }
}
