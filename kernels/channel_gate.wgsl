// Every plane times its gate.
//
//   y[n, c, h, w] = x[n, c, h, w] sigmoid(logits[n, c] + logits[N + n, c])
//
// x and y [N, C, H, W], logits [2 N, C]. One invocation per Lanes of y.

struct Params {
  planes: u32,
  items: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> logits: array<LOGITS>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.planes * p.items) {
    return;
  }
  let plane = i / p.items;
  y[i] = Y(Lanes(x[i]) * sigmoid(f32(logits[plane]) + f32(logits[p.planes + plane])));
}
