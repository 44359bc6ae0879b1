// Gradient of average pooling: each input gathers its share from every window that covers it.
//
//   gx[n, c, row, column] = sum over i in covering(row), j in covering(column) of gy[n, c, i, j] / A[i, j]
//
// gx [N, C, H, W], gy [N, C, OH, OW]; A is a window's area, its padding included (lib/windows.wgsl).
// One invocation per element of gx.

@group(0) @binding(0) var<storage, read> gy: array<GY>;
@group(0) @binding(1) var<storage, read_write> gx: array<GX>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  if (index >= p.size) {
    return;
  }
  let line = index / p.width;
  let plane = line / p.height;
  let down = covering(line - plane * p.height, rows());
  let across = covering(index - line * p.width, columns());
  var sum = 0.0;
  for (var i = down.x; i < down.y; i++) {
    let height = window_length(i, rows());
    let start = (plane * p.out_height + i) * p.out_width;
    for (var j = across.x; j < across.y; j++) {
      sum += f32(gy[start + j]) / f32(height * window_length(j, columns()));
    }
  }
  gx[index] = GX(sum);
}
