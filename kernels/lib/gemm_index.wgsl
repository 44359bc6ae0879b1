// What the GEMM cores share: a workgroup's tile, and the index of the sum in three digits, so that operand files need no
// division: k.x outermost, k.z innermost.
//
// FIRST, SECOND, THIRD, RESULT: what an operand file's operands, bias and result are stored in, f32 or f16. Sums are of f32.

/// Column and row of a workgroup's tile. WebGPU allows 65 535 workgroups a dimension, so long rows of tiles are folded: the
/// host gives the y dimension row_tiles for each fold.
fn tile_of(group: vec3u, groups: vec3u) -> vec2u {
  return vec2u(group.x + group.y / p.row_tiles * groups.x, group.y % p.row_tiles);
}

/// The place of a column that lies outside of the matrix: not written.
const OUTSIDE = 0xffffffffu;

/// The digits of the position t in the sum.
fn digits(t: u32, extents: vec3u) -> vec3u {
  let line = t / extents.z;
  return vec3u(line / extents.y, line % extents.y, t % extents.z);
}

/// One further.
fn next(k: vec3u, extents: vec3u) -> vec3u {
  let inner = k.z + 1u;
  let carry = inner == extents.z;
  let middle = k.y + select(0u, 1u, carry);
  let carry2 = middle == extents.y;
  return vec3u(k.x + select(0u, 1u, carry2), select(middle, 0u, carry2), select(inner, 0u, carry));
}

/// The digits of k + by, for both below the product of the extents.
fn further(k: vec3u, by: vec3u, extents: vec3u) -> vec3u {
  let inner = k.z + by.z;
  let carry = inner >= extents.z;
  let middle = k.y + by.y + select(0u, 1u, carry);
  let carry2 = middle >= extents.y;
  return vec3u(
    k.x + by.x + select(0u, 1u, carry2),
    select(middle, middle - extents.y, carry2),
    select(inner, inner - extents.z, carry),
  );
}
