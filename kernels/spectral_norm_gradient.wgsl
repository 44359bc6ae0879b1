// spectral_norm's backward pass, through the weight alone: with y = W / sigma and sigma = u . W v,
//
//   gweight[i, j] = (gy[i, j] - (sum of gy y) u[i] v[j]) / sigma
//
// gy, gweight [rows, columns] in Lanes; parts [count] of the sum, see lib/parts_sum.wgsl; left = u, sigma and right = v as
// forward left them. 2^threads_log2 invocations share a row, so that it is found without a division per item.

struct Params {
  rows: u32,
  columns: u32,
  threads_log2: u32,
  parts: u32,
}

@group(0) @binding(0) var<storage, read> gy: array<Lanes>;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read> left: array<f32>;
@group(0) @binding(3) var<storage, read> right: array<Lanes>;
@group(0) @binding(4) var<storage, read_write> gweight: array<Lanes>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let inner = parts_sum(p.parts, local);
  let thread = (group.y * groups.x + group.x) * WIDTH + local;
  let row = thread >> p.threads_log2;
  if (row >= p.rows) {
    return;
  }
  let inverse = 1.0 / left[p.rows];
  let scale = inner * left[row];
  let threads = 1u << p.threads_log2;
  for (var j = thread & (threads - 1u); j < p.columns; j += threads) {
    let at = row * p.columns + j;
    gweight[at] = inverse * (gy[at] - scale * right[j]);
  }
}
