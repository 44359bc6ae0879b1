// The greatest value of each window, and where it was.
//
//   y[n, c, i, j] = max over rows in window(i), columns in window(j) of x[n, c, row, column]
//
// x [N, C, H, W], y [N, C, OH, OW], argmax as y: row W + column of the first greatest value in row-major order.
// One invocation per element of y. The windows are in lib/windows.wgsl; padding never wins.

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(0) @binding(2) var<storage, read_write> argmax: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let o = id.y * groups.x * 64u + id.x;
  if (o >= p.size) {
    return;
  }
  let line = o / p.out_width;
  let plane = line / p.out_height;
  let down = window(line - plane * p.out_height, rows());
  let across = window(o - line * p.out_width, columns());
  let base = plane * p.height * p.width;
  var row = down.x;
  var column = across.x;
  var best = row * p.width + column;
  var largest = f32(x[base + best]);
  while (row < down.y) {
    let at = row * p.width + column;
    let value = f32(x[base + at]);
    if (value > largest) {
      largest = value;
      best = at;
    }
    column += 1u;
    if (column == across.y) {
      column = across.x;
      row += 1u;
    }
  }
  y[o] = Y(largest);
  argmax[o] = best;
}
