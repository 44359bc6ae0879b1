// Gradient of max pooling: each input gathers from the windows that cover it and whose greatest value it is.
//
//   gx[n, c, row, column] = sum over i in covering(row), j in covering(column) with argmax[n, c, i, j] = row W + column
//                           of gy[n, c, i, j]
//
// gx [N, C, H, W], argmax and gy [N, C, OH, OW]. One invocation per element of gx.

@group(0) @binding(0) var<storage, read> argmax: array<u32>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read_write> gx: array<GX>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  if (index >= p.size) {
    return;
  }
  let line = index / p.width;
  let plane = line / p.height;
  let at = index - plane * p.height * p.width;
  let down = covering(line - plane * p.height, rows());
  let across = covering(index - line * p.width, columns());
  let base = plane * p.out_height * p.out_width;
  var sum = 0.0;
  for (var i = down.x; i < down.y; i++) {
    for (var j = across.x; j < across.y; j++) {
      let o = base + i * p.out_width + j;
      if (argmax[o] == at) {
        sum += f32(gy[o]);
      }
    }
  }
  gx[index] = GX(sum);
}
