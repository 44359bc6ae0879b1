// cbam's way back to the weights of the channels' MLP. Sums over n and over the two branches, mean and maximum:
//
//   gweight1[j, c] = sum of ghidden[n, j] . planes[n, c].xy,   gbias1[j] = sum of ghidden[n, j]
//   gweight2[c, j] = sum of glogits[n, c] hidden[n, j],        gbias2[c] = 2 sum of glogits[n, c]
//
// glogits [N, C], hidden, ghidden [N, J]. One invocation per j and c.

struct Params {
  images: u32,
  channels: u32,
  hidden: u32,
}

@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read> hidden: array<vec2f>;
@group(0) @binding(2) var<storage, read> ghidden: array<vec2f>;
@group(0) @binding(3) var<storage, read> glogits: array<f32>;
@group(0) @binding(4) var<storage, read_write> gweight1: array<f32>;
@group(0) @binding(5) var<storage, read_write> gbias1: array<f32>;
@group(0) @binding(6) var<storage, read_write> gweight2: array<f32>;
@group(0) @binding(7) var<storage, read_write> gbias2: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  let j = index / p.channels;
  let c = index - j * p.channels;
  if (j >= p.hidden) {
    return;
  }
  var weight1 = 0.0;
  var bias1 = 0.0;
  var weight2 = 0.0;
  var bias2 = 0.0;
  for (var n = 0u; n < p.images; n++) {
    let values = hidden[n * p.hidden + j];
    let back = ghidden[n * p.hidden + j];
    let logit = glogits[n * p.channels + c];
    weight1 += dot(back, planes[n * p.channels + c].xy);
    bias1 += back.x + back.y;
    weight2 += logit * (values.x + values.y);
    bias2 += 2.0 * logit;
  }
  gweight1[j * p.channels + c] = weight1;
  gweight2[c * p.hidden + j] = weight2;
  if (c == 0u) {
    gbias1[j] = bias1;
  }
  if (j == 0u) {
    gbias2[c] = bias2;
  }
}
