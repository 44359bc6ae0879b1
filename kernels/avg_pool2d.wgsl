// The mean of each window.
//
//   y[n, c, i, j] = 1/A sum over rows in window(i), columns in window(j) of x[n, c, row, column]
//
// x [N, C, H, W], y [N, C, OH, OW]; A is the window's area, its padding included (lib/windows.wgsl).
// A team of WIDTH invocations per element of y, each of which takes every WIDTH-th value of the window.

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let output = (group.y * groups.x + group.x) * TEAMS + local % TEAMS;
  let member = local / TEAMS;
  let o = min(output, p.size - 1u);
  let line = o / p.out_width;
  let plane = line / p.out_height;
  let i = line - plane * p.out_height;
  let j = o - line * p.out_width;
  let down = window(i, rows());
  let across = window(j, columns());
  let length = across.y - across.x;
  let base = plane * p.height * p.width + across.x;
  var row = down.x + member / length;
  var column = member % length;
  var sum = 0.0;
  while (row < down.y) {
    sum += f32(x[base + row * p.width + column]);
    column += WIDTH;
    while (column >= length) {
      column -= length;
      row += 1u;
    }
  }
  sum = team_sum(local, sum);
  if (member == 0u && output < p.size) {
    y[output] = Y(sum / f32(window_length(i, rows()) * window_length(j, columns())));
  }
}
