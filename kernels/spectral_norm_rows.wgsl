// spectral_norm, second of three dispatches of a power iteration, for all layers: rows times t, in parts.
//
//   products[i, part] = sum over the part's j of weight[i, j] t[j]     i < rows: parts of W t
//   products[rows, part] = sum over the part's j of t[j]^2             parts of |t|^2
//
// Layers and their buffers: lib/spectral_norm.wgsl. GIVEN: v is bound in t's place, and nobody wants its length. Each
// workgroup of WIDTH invocations takes one task after another.

@group(0) @binding(0) var<storage, read> layers: array<Layer>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> t: array<f32>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let layer = layers[group.y];
  let right = select(layer.t, layer.v, GIVEN);
  let tasks = (layer.rows + select(1u, 0u, GIVEN)) * layer.parts;
  for (var index = group.x; index < tasks; index += groups.x) {
    let task = task_of(layer, index);
    let row = layer.weight + task.row * layer.columns;
    var own = 0.0;
    for (var j = task.first + local; j < task.end; j += WIDTH) {
      let factor = t[right + j];
      if (task.row < layer.rows) {
        own += weight[row + j] * factor;
      } else {
        own += factor * factor;
      }
    }
    let sum = workgroup_sum(own, local);
    if (local == 0u) {
      products[layer.products + index] = sum;
    }
  }
}
