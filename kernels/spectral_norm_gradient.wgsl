// spectral_norm's backward pass, through the weights alone, second of two dispatches, for all layers. With y = W / sigma and
// sigma = u . W v,
//
//   gweight[i, j] = (gy[i, j] - (sum of gy y) u[i] v[j]) / sigma
//
// products: as spectral_norm_inner left them; each team adds them up anew, which saves a dispatch. kept: u, v and sigma as
// forward left them. Layers and their buffers: lib/spectral_norm.wgsl. A team of WIDTH invocations (lib/team.wgsl) takes one
// task after another.

struct Params {
  /// Of the sum of gy y.
  parts: u32,
}

@group(0) @binding(0) var<storage, read> layers: array<Layer>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read> products: array<f32>;
@group(0) @binding(3) var<storage, read> kept: array<f32>;
@group(0) @binding(4) var<storage, read_write> gweight: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let layer = layers[group.y];
  let member = local / TEAMS;
  var own = 0.0;
  for (var i = member; i < p.parts; i += WIDTH) {
    own += products[layer.products + i];
  }
  let inner = team_sum(local, own);
  let kept_u = layer.kept + layer.columns;
  let inverse = 1.0 / kept[kept_u + layer.rows];
  for (var index = group.x * TEAMS + local % TEAMS; index < layer.rows * layer.parts; index += groups.x * TEAMS) {
    let task = task_of(layer, index);
    let row = task.row * layer.columns;
    let scale = inner * kept[kept_u + task.row];
    for (var j = task.first + member; j < task.end; j += WIDTH) {
      gweight[layer.weight + row + j] = inverse * (f32(gy[layer.gy + row + j]) - scale * kept[layer.kept + j]);
    }
  }
}
