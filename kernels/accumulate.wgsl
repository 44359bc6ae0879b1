// y[i] += x[i], four values at a time: a second gradient of the same tensor.
//
// Tensors are padded to whole vec4s; the padding of y becomes zero, so that sums over a whole arena of tensors hold.

struct Params {
  size: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i * 4u < p.size) {
    let inside = i * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(p.size);
    y[i] = Y(select(vec4f(), vec4f(y[i]) + vec4f(x[i]), inside));
  }
}
