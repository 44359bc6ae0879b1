// The weight by which an image is doubled and convolved at once (src/ops/upsampleConv2d.ts); also the gradient of it.
//
//   y[i, j] = sum over a, b in (0, 1) of x[K - 1 - i + a, K - 1 - j + b], with x = 0 outside, K the smaller kernel's side
//
// for each pair of channels: x [rows, columns, from, from] -> y [columns, rows, to, to], where `from` and `to` are K and K + 1, or
// the other way round for the gradient: the formula is its own adjoint. One invocation per value of y.

struct Params {
  size: u32,
  rows: u32,
  columns: u32,
  from_side: u32,
  to_side: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.y * groups.x * 64u + id.x;
  if (at >= p.size) {
    return;
  }
  let area = p.to_side * p.to_side;
  let matrix = at / area;
  let place = at % area;
  let last = min(p.from_side, p.to_side) - 1u;
  // Of the four terms the first: below 0, it wraps to a number far outside.
  let i = last - place / p.to_side;
  let j = last - place % p.to_side;
  let first = ((matrix % p.rows) * p.columns + matrix / p.rows) * p.from_side * p.from_side;
  var sum = 0.0;
  for (var term = 0u; term < 4u; term++) {
    let row = i + (term >> 1u);
    let column = j + (term & 1u);
    if (row < p.from_side && column < p.from_side) {
      sum += f32(x[first + row * p.from_side + column]);
    }
  }
  y[at] = Y(sum);
}
