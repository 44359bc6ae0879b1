// GEMM core for subgroups of exactly LANES invocations, 4 (SwiftShader) or 8 (lavapipe): an outer product by broadcast.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        summed in order of k
//
// A subgroup computes ROWS x (4 LANES COLUMNS) values: an invocation owns four columns (and four more, 4 LANES further, if
// COLUMNS is 2), reads four rows of A, and passes them on to the others by subgroupBroadcast, so that one load of A serves
// all columns. ROWS is a power of two from 4 to 4 LANES. Of the sum it takes one term at a time (lib/terms_1.wgsl), or four
// of packed operands (lib/terms_4.wgsl).
//
// What a workgroup sums, and what the operand file gives: lib/gemm_index.wgsl.
//
// Source: register blocking after Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication".

enable subgroups;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let share = share_of(group, groups);
  let m0 = share.tile.y * ROWS;
  let n0 = (share.tile.x * COLUMNS * LANES + lane) * 4u;
  let n1 = n0 + 4u * LANES;
  let a_rows = rows(m0 + 4u * (lane % (ROWS / 4u)));
  let columns0 = columns(n0);
  let columns1 = columns(n1);
  var c0 = vec4f();
  var d0 = vec4f();
  var c1 = vec4f();
  var d1 = vec4f();
  var c2 = vec4f();
  var d2 = vec4f();
  var c3 = vec4f();
  var d3 = vec4f();
  var c4 = vec4f();
  var d4 = vec4f();
  var c5 = vec4f();
  var d5 = vec4f();
  var c6 = vec4f();
  var d6 = vec4f();
  var c7 = vec4f();
  var d7 = vec4f();
  var c8 = vec4f();
  var d8 = vec4f();
  var c9 = vec4f();
  var d9 = vec4f();
  var c10 = vec4f();
  var d10 = vec4f();
  var c11 = vec4f();
  var d11 = vec4f();
  var c12 = vec4f();
  var d12 = vec4f();
  var c13 = vec4f();
  var d13 = vec4f();
  var c14 = vec4f();
  var d14 = vec4f();
  var c15 = vec4f();
  var d15 = vec4f();
  var c16 = vec4f();
  var d16 = vec4f();
  var c17 = vec4f();
  var d17 = vec4f();
  var c18 = vec4f();
  var d18 = vec4f();
  var c19 = vec4f();
  var d19 = vec4f();
  var c20 = vec4f();
  var d20 = vec4f();
  var c21 = vec4f();
  var d21 = vec4f();
  var c22 = vec4f();
  var d22 = vec4f();
  var c23 = vec4f();
  var d23 = vec4f();
  var c24 = vec4f();
  var d24 = vec4f();
  var c25 = vec4f();
  var d25 = vec4f();
  var c26 = vec4f();
  var d26 = vec4f();
  var c27 = vec4f();
  var d27 = vec4f();
  var c28 = vec4f();
  var d28 = vec4f();
  var c29 = vec4f();
  var d29 = vec4f();
  var c30 = vec4f();
  var d30 = vec4f();
  var c31 = vec4f();
  var d31 = vec4f();
  var k = digits(share.start, share.extents);
  for (var t = share.start; t < share.end; t++) {
    let a = read_a(a_rows, k);
    let b = read_b(columns0, k);
    var e = ColumnTerms();
    if (COLUMNS > 1u) {
      e = read_b(columns1, k);
    }
    let a0 = subgroupBroadcast(a[0], 0u);
    c0 = add_product(c0, a0, b);
    if (COLUMNS > 1u) { d0 = add_product(d0, a0, e); }
    let a1 = subgroupBroadcast(a[1], 0u);
    c1 = add_product(c1, a1, b);
    if (COLUMNS > 1u) { d1 = add_product(d1, a1, e); }
    let a2 = subgroupBroadcast(a[2], 0u);
    c2 = add_product(c2, a2, b);
    if (COLUMNS > 1u) { d2 = add_product(d2, a2, e); }
    let a3 = subgroupBroadcast(a[3], 0u);
    c3 = add_product(c3, a3, b);
    if (COLUMNS > 1u) { d3 = add_product(d3, a3, e); }
    if (ROWS > 4u) {
      let a4 = subgroupBroadcast(a[0], 1u);
      c4 = add_product(c4, a4, b);
      if (COLUMNS > 1u) { d4 = add_product(d4, a4, e); }
      let a5 = subgroupBroadcast(a[1], 1u);
      c5 = add_product(c5, a5, b);
      if (COLUMNS > 1u) { d5 = add_product(d5, a5, e); }
      let a6 = subgroupBroadcast(a[2], 1u);
      c6 = add_product(c6, a6, b);
      if (COLUMNS > 1u) { d6 = add_product(d6, a6, e); }
      let a7 = subgroupBroadcast(a[3], 1u);
      c7 = add_product(c7, a7, b);
      if (COLUMNS > 1u) { d7 = add_product(d7, a7, e); }
    }
    if (ROWS > 8u) {
      let a8 = subgroupBroadcast(a[0], 2u);
      c8 = add_product(c8, a8, b);
      if (COLUMNS > 1u) { d8 = add_product(d8, a8, e); }
      let a9 = subgroupBroadcast(a[1], 2u);
      c9 = add_product(c9, a9, b);
      if (COLUMNS > 1u) { d9 = add_product(d9, a9, e); }
      let a10 = subgroupBroadcast(a[2], 2u);
      c10 = add_product(c10, a10, b);
      if (COLUMNS > 1u) { d10 = add_product(d10, a10, e); }
      let a11 = subgroupBroadcast(a[3], 2u);
      c11 = add_product(c11, a11, b);
      if (COLUMNS > 1u) { d11 = add_product(d11, a11, e); }
      let a12 = subgroupBroadcast(a[0], 3u);
      c12 = add_product(c12, a12, b);
      if (COLUMNS > 1u) { d12 = add_product(d12, a12, e); }
      let a13 = subgroupBroadcast(a[1], 3u);
      c13 = add_product(c13, a13, b);
      if (COLUMNS > 1u) { d13 = add_product(d13, a13, e); }
      let a14 = subgroupBroadcast(a[2], 3u);
      c14 = add_product(c14, a14, b);
      if (COLUMNS > 1u) { d14 = add_product(d14, a14, e); }
      let a15 = subgroupBroadcast(a[3], 3u);
      c15 = add_product(c15, a15, b);
      if (COLUMNS > 1u) { d15 = add_product(d15, a15, e); }
    }
    if (ROWS > 16u) {
      let a16 = subgroupBroadcast(a[0], 4u);
      c16 = add_product(c16, a16, b);
      if (COLUMNS > 1u) { d16 = add_product(d16, a16, e); }
      let a17 = subgroupBroadcast(a[1], 4u);
      c17 = add_product(c17, a17, b);
      if (COLUMNS > 1u) { d17 = add_product(d17, a17, e); }
      let a18 = subgroupBroadcast(a[2], 4u);
      c18 = add_product(c18, a18, b);
      if (COLUMNS > 1u) { d18 = add_product(d18, a18, e); }
      let a19 = subgroupBroadcast(a[3], 4u);
      c19 = add_product(c19, a19, b);
      if (COLUMNS > 1u) { d19 = add_product(d19, a19, e); }
      let a20 = subgroupBroadcast(a[0], 5u);
      c20 = add_product(c20, a20, b);
      if (COLUMNS > 1u) { d20 = add_product(d20, a20, e); }
      let a21 = subgroupBroadcast(a[1], 5u);
      c21 = add_product(c21, a21, b);
      if (COLUMNS > 1u) { d21 = add_product(d21, a21, e); }
      let a22 = subgroupBroadcast(a[2], 5u);
      c22 = add_product(c22, a22, b);
      if (COLUMNS > 1u) { d22 = add_product(d22, a22, e); }
      let a23 = subgroupBroadcast(a[3], 5u);
      c23 = add_product(c23, a23, b);
      if (COLUMNS > 1u) { d23 = add_product(d23, a23, e); }
      let a24 = subgroupBroadcast(a[0], 6u);
      c24 = add_product(c24, a24, b);
      if (COLUMNS > 1u) { d24 = add_product(d24, a24, e); }
      let a25 = subgroupBroadcast(a[1], 6u);
      c25 = add_product(c25, a25, b);
      if (COLUMNS > 1u) { d25 = add_product(d25, a25, e); }
      let a26 = subgroupBroadcast(a[2], 6u);
      c26 = add_product(c26, a26, b);
      if (COLUMNS > 1u) { d26 = add_product(d26, a26, e); }
      let a27 = subgroupBroadcast(a[3], 6u);
      c27 = add_product(c27, a27, b);
      if (COLUMNS > 1u) { d27 = add_product(d27, a27, e); }
      let a28 = subgroupBroadcast(a[0], 7u);
      c28 = add_product(c28, a28, b);
      if (COLUMNS > 1u) { d28 = add_product(d28, a28, e); }
      let a29 = subgroupBroadcast(a[1], 7u);
      c29 = add_product(c29, a29, b);
      if (COLUMNS > 1u) { d29 = add_product(d29, a29, e); }
      let a30 = subgroupBroadcast(a[2], 7u);
      c30 = add_product(c30, a30, b);
      if (COLUMNS > 1u) { d30 = add_product(d30, a30, e); }
      let a31 = subgroupBroadcast(a[3], 7u);
      c31 = add_product(c31, a31, b);
      if (COLUMNS > 1u) { d31 = add_product(d31, a31, e); }
    }
    k = next(k, share.extents);
  }
  var c = array<vec4f, 32>(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31);
  var d = array<vec4f, 32>(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15, d16, d17, d18, d19, d20, d21, d22, d23, d24, d25, d26, d27, d28, d29, d30, d31);
  let places0 = places(n0);
  let places1 = places(n1);
  for (var i = 0u; i < ROWS; i++) {
    write(m0 + i, share.split, places0, c[i]);
    if (COLUMNS > 1u) {
      write(m0 + i, share.split, places1, d[i]);
    }
  }
}
