// spectral_norm, first of three dispatches of a power iteration:
//
//   t[j] = sum over i of weight[i, j] u[i]          t = W^T u, and v = t / |t|
//
// weight [rows, columns] and t [columns] in Lanes, u [rows]. A workgroup of WIDTH invocations takes WIDTH / SLICES columns;
// slice s adds the rows s, s + SLICES, ..., then a tree adds the slices. Powers of two both.

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> weight: array<Lanes>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> t: array<Lanes>;
@group(1) @binding(0) var<uniform> p: Params;

const GROUP_COLUMNS = WIDTH / SLICES;

var<workgroup> sums: array<Lanes, WIDTH>;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let column = (group.y * groups.x + group.x) * GROUP_COLUMNS + local % GROUP_COLUMNS;
  let slice = local / GROUP_COLUMNS;
  var at = slice * p.columns + min(column, p.columns - 1u);
  var sum = Lanes();
  for (var i = slice; i < p.rows; i += SLICES) {
    sum += u[i] * weight[at];
    at += SLICES * p.columns;
  }
  if (SLICES > 1u) {
    sums[local] = sum;
    for (var half = SLICES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (slice < half) {
        sums[local] += sums[local + half * GROUP_COLUMNS];
      }
    }
    sum = sums[local];
  }
  if (slice == 0u && column < p.columns) {
    t[column] = sum;
  }
}
