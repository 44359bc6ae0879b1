// spectral_norm, first of three dispatches of a power iteration, for all layers:
//
//   t[j] = sum over i of weight[i, j] u[i]          t = W^T u, and v = t / |t|
//
// Layers and their buffers: lib/spectral_norm.wgsl. A workgroup of WIDTH invocations takes WIDTH / SLICES columns at a time;
// slice s adds the rows s, s + SLICES, ..., then a tree adds the slices. Powers of two both.

@group(0) @binding(0) var<storage, read> layers: array<Layer>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> u: array<f32>;
@group(0) @binding(3) var<storage, read_write> t: array<f32>;

const GROUP_COLUMNS = WIDTH / SLICES;

var<workgroup> sums: array<f32, WIDTH>;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let layer = layers[group.y];
  let slice = local / GROUP_COLUMNS;
  for (var first = group.x * GROUP_COLUMNS; first < layer.columns; first += groups.x * GROUP_COLUMNS) {
    let column = first + local % GROUP_COLUMNS;
    var at = layer.weight + slice * layer.columns + min(column, layer.columns - 1u);
    var sum = 0.0;
    for (var i = slice; i < layer.rows; i += SLICES) {
      sum += u[layer.u + i] * weight[at];
      at += SLICES * layer.columns;
    }
    if (SLICES > 1u) {
      // The sums of the columns before may still be in the reading.
      workgroupBarrier();
      sums[local] = sum;
      for (var half = SLICES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (slice < half) {
          sums[local] += sums[local + half * GROUP_COLUMNS];
        }
      }
      sum = sums[local];
    }
    if (slice == 0u && column < layer.columns) {
      t[layer.t + column] = sum;
    }
  }
}
