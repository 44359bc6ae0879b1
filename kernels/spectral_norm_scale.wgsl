// spectral_norm, last of three dispatches of a power iteration:
//
//   length = max(|t|, eps),  v = t / length,  u = W v / max(|W v|, eps),  sigma = u . W v,  y = weight / sigma
//
// ITERATE: u and v become these; otherwise they are given, products holds W v, and t is not read.
// OUTPUT: writes y, and for the backward pass left [rows + 1] = u, sigma, and right = v: u and v move on with each call.
// weight, y [rows, columns] and t, v, right [columns] in Lanes; products [rows + 1, parts] as spectral_norm_rows left
// them. Each workgroup finds sigma anew from the products, which saves a dispatch; then its invocations take every
// (WIDTH * workgroups)-th item.

struct Params {
  rows: u32,
  columns: u32,
  parts: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> weight: array<Lanes>;
@group(0) @binding(1) var<storage, read> t: array<Lanes>;
@group(0) @binding(2) var<storage, read> products: array<f32>;
@group(0) @binding(3) var<storage, read_write> u: array<f32>;
@group(0) @binding(4) var<storage, read_write> v: array<Lanes>;
@group(0) @binding(5) var<storage, read_write> left: array<f32>;
@group(0) @binding(6) var<storage, read_write> right: array<Lanes>;
@group(0) @binding(7) var<storage, read_write> y: array<Lanes>;
@group(1) @binding(0) var<uniform> p: Params;

fn product(row: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < p.parts; part++) {
    sum += products[row * p.parts + part];
  }
  return sum;
}

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  var length = 1.0;
  if (ITERATE) {
    length = max(sqrt(product(p.rows)), p.eps);
  }
  var own = 0.0;
  for (var i = local; i < p.rows; i += WIDTH) {
    let wv = product(i) / length;
    if (ITERATE) {
      own += wv * wv;
    } else {
      own += wv * u[i];
    }
  }
  let sum = workgroup_sum(own, local);
  var sigma = sum;
  var u_length = 1.0;
  if (ITERATE) {
    u_length = max(sqrt(sum), p.eps);
    sigma = sum / u_length;
  }
  if (group.x == 0u) {
    for (var i = local; i < p.rows; i += WIDTH) {
      if (ITERATE) {
        u[i] = product(i) / length / u_length;
      }
      if (OUTPUT) {
        left[i] = u[i];
      }
    }
    if (OUTPUT && local == 0u) {
      left[p.rows] = sigma;
    }
  }
  let first = group.x * WIDTH + local;
  let step = groups.x * WIDTH;
  for (var j = first; j < p.columns; j += step) {
    if (ITERATE) {
      v[j] = t[j] / length;
    }
    if (OUTPUT) {
      right[j] = v[j];
    }
  }
  if (OUTPUT) {
    let inverse = 1.0 / sigma;
    for (var i = first; i < p.rows * p.columns; i += step) {
      y[i] = inverse * weight[i];
    }
  }
}
