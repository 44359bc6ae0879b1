// spectral_norm, last of three dispatches of a power iteration, for all layers:
//
//   length = max(|t|, eps),  v = t / length,  u = W v / max(|W v|, eps),  sigma = u . W v,  y = weight / sigma
//
// ITERATE: u and v become these; otherwise they are given, products holds W v, and t is not read.
// OUTPUT: writes y, and keeps v, u and sigma for the way back.
// Layers and their buffers: lib/spectral_norm.wgsl. Each workgroup finds sigma anew from the products, which saves a
// dispatch; then its invocations take every (WIDTH * workgroups)-th element, of y four.

struct Params {
  eps: f32,
}

@group(0) @binding(0) var<storage, read> layers: array<Layer>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> t: array<f32>;
@group(0) @binding(3) var<storage, read> products: array<f32>;
@group(0) @binding(4) var<storage, read_write> u: array<f32>;
@group(0) @binding(5) var<storage, read_write> v: array<f32>;
@group(0) @binding(6) var<storage, read_write> kept: array<f32>;
@group(0) @binding(7) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

/// The product of a row, of its parts.
fn product(layer: Layer, row: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < layer.parts; part++) {
    sum += products[layer.products + row * layer.parts + part];
  }
  return sum;
}

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let layer = layers[group.y];
  var length = 1.0;
  if (ITERATE) {
    length = max(sqrt(product(layer, layer.rows)), p.eps);
  }
  var own = 0.0;
  for (var i = local; i < layer.rows; i += WIDTH) {
    let wv = product(layer, i) / length;
    if (ITERATE) {
      own += wv * wv;
    } else {
      own += wv * u[layer.u + i];
    }
  }
  let sum = workgroup_sum(own, local);
  var sigma = sum;
  var u_length = 1.0;
  if (ITERATE) {
    u_length = max(sqrt(sum), p.eps);
    sigma = sum / u_length;
  }
  let kept_u = layer.kept + layer.columns;
  if (group.x == 0u) {
    for (var i = local; i < layer.rows; i += WIDTH) {
      if (ITERATE) {
        u[layer.u + i] = product(layer, i) / length / u_length;
      }
      if (OUTPUT) {
        kept[kept_u + i] = u[layer.u + i];
      }
    }
    if (OUTPUT && local == 0u) {
      kept[kept_u + layer.rows] = sigma;
    }
  }
  let first = group.x * WIDTH + local;
  let step = groups.x * WIDTH;
  for (var j = first; j < layer.columns; j += step) {
    if (ITERATE) {
      v[layer.v + j] = t[layer.t + j] / length;
    }
    if (OUTPUT) {
      kept[layer.kept + j] = v[layer.v + j];
    }
  }
  if (OUTPUT) {
    let inverse = 1.0 / sigma;
    for (var i = first; 4u * i < layer.rows * layer.columns; i += step) {
      y[layer.y / 4u + i] = Y(inverse * weight[layer.weight / 4u + i]);
    }
  }
}
