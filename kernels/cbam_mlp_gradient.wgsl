// cbam's way back through the channels' MLP, to what cbam_pool found:
//
//   ghidden[n, j] = sum over c of weight2[c, j] glogits[n, c] where hidden[n, j] > 0     for the mean's and the maximum's
//   gmean[n, c], gpeak[n, c] = sum over j of weight1[j, c] ghidden[n, j]
//   factors[n, c] = (gate, gmean / (H W), gpeak / ties, peak): what cbam_input_gradient needs of a plane
//
// weight1 [J, C], weight2 [C, J], glogits [N, C], hidden, ghidden [N, J].
// A workgroup of 64 is an image, and works as cbam_mlp does.

struct Params {
  channels: u32,
  hidden: u32,
  /// H W.
  pixels: u32,
}

@group(0) @binding(0) var<storage, read> weight1: array<PARAMETER>;
@group(0) @binding(1) var<storage, read> weight2: array<PARAMETER>;
@group(0) @binding(2) var<storage, read> planes: array<vec4f>;
@group(0) @binding(3) var<storage, read> hidden: array<vec2f>;
@group(0) @binding(4) var<storage, read> glogits: array<f32>;
@group(0) @binding(5) var<storage, read_write> ghidden: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> factors: array<vec4f>;
@group(1) @binding(0) var<uniform> p: Params;

const SLICES = 8u;
const TOGETHER = 64u / SLICES;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  let slice = local / TOGETHER;
  for (var first = 0u; first < p.hidden; first += TOGETHER) {
    let j = first + local % TOGETHER;
    let column = min(j, p.hidden - 1u);
    var own = 0.0;
    for (var c = slice; c < p.channels; c += SLICES) {
      own += f32(weight2[c * p.hidden + column]) * glogits[n * p.channels + c];
    }
    // The sums before may still be in the reading.
    workgroupBarrier();
    sums[local] = own;
    for (var half = SLICES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (slice < half) {
        sums[local] += sums[local + half * TOGETHER];
      }
    }
    if (slice == 0u && j < p.hidden) {
      let at = n * p.hidden + j;
      ghidden[at] = select(vec2f(), vec2f(sums[local]), hidden[at] > vec2f());
    }
  }
  storageBarrier();
  for (var c = local; c < p.channels; c += 64u) {
    var sum = vec2f();
    for (var j = 0u; j < p.hidden; j++) {
      sum += f32(weight1[j * p.channels + c]) * ghidden[n * p.hidden + j];
    }
    let plane = planes[n * p.channels + c];
    factors[n * p.channels + c] = vec4f(plane.w, sum.x / f32(p.pixels), sum.y / plane.z, plane.y);
  }
}
