// spectral_norm's backward pass, first of two dispatches, for all layers: the sum of gy y, in parts.
//
//   products[part] = sum over the part's elements of gy[i] y[i]
//
// Layers and their buffers: lib/spectral_norm.wgsl; here the matrices are lists of values, taken four at a time. A part is
// what a workgroup of WIDTH invocations finds, each of which takes every (WIDTH * workgroups)-th four.

@group(0) @binding(0) var<storage, read> layers: array<Layer>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read> y: array<Y>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let layer = layers[group.y];
  let size = layer.rows * layer.columns;
  var own = vec4f();
  for (var i = group.x * WIDTH + local; 4u * i < size; i += groups.x * WIDTH) {
    // Beyond the last value may be anything.
    let inside = 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(size);
    own += select(vec4f(), vec4f(gy[layer.gy / 4u + i]) * vec4f(y[layer.y / 4u + i]), inside);
  }
  let sum = workgroup_sum((own.x + own.y) + (own.z + own.w), local);
  if (local == 0u) {
    products[layer.products + group.x] = sum;
  }
}
