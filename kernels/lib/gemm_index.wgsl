// The index of a GEMM's sum in three digits, so that operand files need no division: k.x outermost, k.z innermost.

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
