// batch_norm's backward pass where a channel is too long for one workgroup, second dispatch: adds the parts in order.
//
//   gbias[c] = sum of parts[c].x,   gweight[c] = sum of parts[c].y
//
// parts [C, parts]; gweight, gbias [C]. One invocation per channel.

struct Params {
  channels: u32,
  parts: u32,
}

@group(0) @binding(0) var<storage, read> parts: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> gweight: array<f32>;
@group(0) @binding(2) var<storage, read_write> gbias: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let channel = id.x;
  if (channel >= p.channels) {
    return;
  }
  var sums = vec2f();
  for (var part = 0u; part < p.parts; part++) {
    sums += parts[channel * p.parts + part];
  }
  gbias[channel] = sums.x;
  gweight[channel] = sums.y;
}
