// cbam, second dispatch: the channels' gates, from what cbam_pool left.
//
//   hidden[n, j] = relu(bias1[j] + sum over c of weight1[j, c] planes[n, c].xy)            of the mean and of the maximum
//   gate[n, c] = sigmoid(2 bias2[c] + sum over j of weight2[c, j] (hidden[n, j].x + hidden[n, j].y))
//
// weight1 [J, C], bias1 [J], weight2 [C, J], bias2 [C]; the gate goes into planes[n, c].w.
// A workgroup of 64 is an image. For the hidden values SLICES invocations share a sum, each taking every SLICES-th channel;
// then an invocation takes a channel. ACTIVATION is the sigmoid (lib/activation.wgsl).

struct Params {
  channels: u32,
  hidden: u32,
}

@group(0) @binding(0) var<storage, read> weight1: array<PARAMETER>;
@group(0) @binding(1) var<storage, read> bias1: array<PARAMETER>;
@group(0) @binding(2) var<storage, read> weight2: array<PARAMETER>;
@group(0) @binding(3) var<storage, read> bias2: array<PARAMETER>;
@group(0) @binding(4) var<storage, read_write> planes: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> hidden: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

const SLICES = 8u;
const TOGETHER = 64u / SLICES;

var<workgroup> sums: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x;
  let slice = local / TOGETHER;
  for (var first = 0u; first < p.hidden; first += TOGETHER) {
    let j = first + local % TOGETHER;
    let row = min(j, p.hidden - 1u) * p.channels;
    var own = vec2f();
    for (var c = slice; c < p.channels; c += SLICES) {
      own += f32(weight1[row + c]) * planes[n * p.channels + c].xy;
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
      hidden[n * p.hidden + j] = max(sums[local] + f32(bias1[j]), vec2f());
    }
  }
  storageBarrier();
  for (var c = local; c < p.channels; c += 64u) {
    var logit = 2.0 * f32(bias2[c]);
    for (var j = 0u; j < p.hidden; j++) {
      let values = hidden[n * p.hidden + j];
      logit += f32(weight2[c * p.hidden + j]) * (values.x + values.y);
    }
    let pooled = planes[n * p.channels + c];
    planes[n * p.channels + c] = vec4f(pooled.xyz, activate(logit, 0.0));
  }
}
