// spectral_norm, second of three dispatches of a power iteration: rows times t, in parts.
//
//   products[i, part] = sum over the part's j of weight[i, j] t[j]     i < rows: parts of W t
//   products[rows, part] = sum over the part's j of t[j]^2             parts of |t|^2
//
// weight [rows, columns] and t [columns] in Lanes. Workgroup (part, i) takes part_items columns; the host leaves the last
// row out of the grid where nobody wants |t|.

struct Params {
  rows: u32,
  columns: u32,
  part_items: u32,
}

@group(0) @binding(0) var<storage, read> weight: array<Lanes>;
@group(0) @binding(1) var<storage, read> t: array<Lanes>;
@group(0) @binding(2) var<storage, read_write> products: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = group.y;
  let first = group.x * p.part_items;
  let end = min(p.columns, first + p.part_items);
  var own = Lanes();
  for (var j = first + local; j < end; j += WIDTH) {
    let right = t[j];
    var left = right;
    if (row < p.rows) {
      left = weight[row * p.columns + j];
    }
    own += left * right;
  }
  let sum = workgroup_sum(lane_sum(own), local);
  if (local == 0u) {
    products[row * groups.x + group.x] = sum;
  }
}
