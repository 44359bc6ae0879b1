// spectral_norm, second of three dispatches of a power iteration, for all layers: rows times t, in parts.
//
//   products[i, part] = sum over the part's j of weight[i, j] t[j]     i < rows: parts of W t
//   products[rows, part] = sum over the part's j of t[j]^2             parts of |t|^2
//
// Layers and their buffers: lib/spectral_norm.wgsl. GIVEN: v is bound in t's place, and nobody wants its length. A team of
// WIDTH invocations (lib/team.wgsl) takes one task after another.

@group(0) @binding(0) var<storage, read> layers: array<Layer>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> t: array<f32>;
@group(0) @binding(3) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let layer = layers[group.y];
  let right = select(layer.t, layer.v, GIVEN);
  let tasks = (layer.rows + select(1u, 0u, GIVEN)) * layer.parts;
  let member = local / TEAMS;
  for (var first = group.x * TEAMS; first < tasks; first += groups.x * TEAMS) {
    let index = first + local % TEAMS;
    let task = task_of(layer, min(index, tasks - 1u));
    let row = layer.weight + task.row * layer.columns;
    var own = 0.0;
    if (task.row < layer.rows) {
      for (var j = task.first + member; j < task.end; j += WIDTH) {
        own += weight[row + j] * t[right + j];
      }
    } else {
      for (var j = task.first + member; j < task.end; j += WIDTH) {
        own += t[right + j] * t[right + j];
      }
    }
    let sum = team_sum(local, own);
    if (member == 0u && index < tasks) {
      products[layer.products + index] = sum;
    }
  }
}
