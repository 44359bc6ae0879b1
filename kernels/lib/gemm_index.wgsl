// What the GEMM cores (lib/gemm_*.wgsl) share: what a workgroup sums, and the index of the sum.
//
// z of the workgroup is item * splits + split: an item is what the operand file makes of it (a batch entry, a group of
// channels, a phase of a strided gradient); a split sums its own range of k into its own part of the output.
//
// k counts in three digits, so that operand files need no division: k.x outermost, k.z innermost. The operand file gives:
// setup(item), the digits' extents; rows(m) and columns(n), the state of four neighbouring rows or columns (clamped to the
// matrix: what lies outside is computed and never written); read_a and read_b, four values at a k; places(n), where in a row
// four columns are written; write(m, ...).
//
// FIRST, SECOND, THIRD, RESULT: what an operand file's operands, bias and result are stored in, f32 or f16. Sums are of f32.

/// What a workgroup computes: of the sums of a tile, the terms from start to before end.
struct Share {
  /// Column and row, in tiles.
  tile: vec2u,
  split: u32,
  /// Of the digits of k.
  extents: vec3u,
  start: u32,
  end: u32,
}

/// WebGPU allows 65 535 workgroups a dimension, so long rows of tiles are folded: the host gives the y dimension row_tiles for
/// each fold.
fn share_of(group: vec3u, groups: vec3u) -> Share {
  let tile = vec2u(group.x + group.y / p.row_tiles * groups.x, group.y % p.row_tiles);
  let split = group.z % p.splits;
  let extents = setup(group.z / p.splits);
  let terms = extents.x * extents.y * extents.z;
  let per_split = (terms + p.splits - 1u) / p.splits;
  let start = split * per_split;
  return Share(tile, split, extents, start, min(terms, start + per_split));
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
