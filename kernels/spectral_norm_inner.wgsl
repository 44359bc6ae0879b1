// spectral_norm's backward pass, first of two dispatches, for all layers: the sum of gy y, in parts.
//
//   products[i, part] = sum over the part's j of gy[i, j] y[i, j]
//
// Layers and their buffers: lib/spectral_norm.wgsl. Each workgroup of WIDTH invocations takes one task after another.

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
  for (var index = group.x; index < layer.rows * layer.parts; index += groups.x) {
    let task = task_of(layer, index);
    let row = task.row * layer.columns;
    var own = 0.0;
    for (var i = row + task.first + local; i < row + task.end; i += WIDTH) {
      own += f32(gy[layer.gy + i]) * f32(y[layer.y + i]);
    }
    let sum = workgroup_sum(own, local);
    if (local == 0u) {
      products[layer.products + index] = sum;
    }
  }
}
