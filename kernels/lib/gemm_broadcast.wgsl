// GEMM core for subgroups of exactly LANES invocations, 4 (SwiftShader) or 8 (lavapipe): an outer product by broadcast.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        summed in order of k
//
// A subgroup computes ROWS x 4 LANES values: an invocation owns four columns, loads four rows of A, and passes them on to
// the others by subgroupBroadcast, so that one load of A serves all columns. ROWS is a power of two from 4 to 4 LANES.
// z of the workgroup is item * splits + split: an item is what the operand file makes of it (a batch entry, a group of
// channels, a phase of a strided gradient); a split sums its own range of k into its own part of the output.
//
// k counts in three digits (lib/gemm_index.wgsl). The operand file gives: setup(item), the digits' extents; rows(m) and
// columns(n), the state of four neighbouring rows or columns (clamped to the matrix: what lies outside is computed and
// never written); read_a and read_b, four values at a k; write(m, n, ...), which skips what lies outside.
//
// Source: register blocking after Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication".

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let split = group.z % p.splits;
  let extents = setup(group.z / p.splits);
  let terms = extents.x * extents.y * extents.z;
  let per_split = (terms + p.splits - 1u) / p.splits;
  let end = min(terms, (split + 1u) * per_split);
  let m0 = group.y * ROWS;
  let n0 = (group.x * LANES + lane) * 4u;
  let a_rows = rows(m0 + 4u * (lane % (ROWS / 4u)));
  let b_columns = columns(n0);
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  var c4 = vec4f();
  var c5 = vec4f();
  var c6 = vec4f();
  var c7 = vec4f();
  var c8 = vec4f();
  var c9 = vec4f();
  var c10 = vec4f();
  var c11 = vec4f();
  var c12 = vec4f();
  var c13 = vec4f();
  var c14 = vec4f();
  var c15 = vec4f();
  var c16 = vec4f();
  var c17 = vec4f();
  var c18 = vec4f();
  var c19 = vec4f();
  var c20 = vec4f();
  var c21 = vec4f();
  var c22 = vec4f();
  var c23 = vec4f();
  var c24 = vec4f();
  var c25 = vec4f();
  var c26 = vec4f();
  var c27 = vec4f();
  var c28 = vec4f();
  var c29 = vec4f();
  var c30 = vec4f();
  var c31 = vec4f();
  var k = digits(split * per_split, extents);
  for (var t = split * per_split; t < end; t++) {
    let a = read_a(a_rows, k);
    let b = read_b(b_columns, k);
    let a0 = subgroupBroadcast(a, 0u);
    c0 += a0.x * b;
    c1 += a0.y * b;
    c2 += a0.z * b;
    c3 += a0.w * b;
    if (ROWS > 4u) {
      let a1 = subgroupBroadcast(a, 1u);
      c4 += a1.x * b;
      c5 += a1.y * b;
      c6 += a1.z * b;
      c7 += a1.w * b;
    }
    if (ROWS > 8u) {
      let a2 = subgroupBroadcast(a, 2u);
      c8 += a2.x * b;
      c9 += a2.y * b;
      c10 += a2.z * b;
      c11 += a2.w * b;
      let a3 = subgroupBroadcast(a, 3u);
      c12 += a3.x * b;
      c13 += a3.y * b;
      c14 += a3.z * b;
      c15 += a3.w * b;
    }
    if (ROWS > 16u) {
      let a4 = subgroupBroadcast(a, 4u);
      c16 += a4.x * b;
      c17 += a4.y * b;
      c18 += a4.z * b;
      c19 += a4.w * b;
      let a5 = subgroupBroadcast(a, 5u);
      c20 += a5.x * b;
      c21 += a5.y * b;
      c22 += a5.z * b;
      c23 += a5.w * b;
      let a6 = subgroupBroadcast(a, 6u);
      c24 += a6.x * b;
      c25 += a6.y * b;
      c26 += a6.z * b;
      c27 += a6.w * b;
      let a7 = subgroupBroadcast(a, 7u);
      c28 += a7.x * b;
      c29 += a7.y * b;
      c30 += a7.z * b;
      c31 += a7.w * b;
    }
    k = next(k, extents);
  }
  var c = array<vec4f, 32>(
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, 
    c16, c17, c18, c19, c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31);
  for (var i = 0u; i < ROWS; i++) {
    write(m0 + i, n0, split, c[i]);
  }
}
