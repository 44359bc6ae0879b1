// GEMM core for subgroups of exactly LANES invocations, 4 (SwiftShader) or 8 (lavapipe): an outer product by broadcast.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        summed in order of k
//
// A subgroup computes ROWS x (4 LANES COLUMNS) values: an invocation owns four columns (and four more, 4 LANES further, if
// COLUMNS is 2), loads four rows of A, and passes them on to the others by subgroupBroadcast, so that one load of A serves
// all columns. ROWS is a power of two from 4 to 4 LANES.
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
    var e = vec4f();
    if (COLUMNS > 1u) {
      e = read_b(columns1, k);
    }
    let a0 = subgroupBroadcast(a, 0u);
    c0 += a0.x * b;
    if (COLUMNS > 1u) { d0 += a0.x * e; }
    c1 += a0.y * b;
    if (COLUMNS > 1u) { d1 += a0.y * e; }
    c2 += a0.z * b;
    if (COLUMNS > 1u) { d2 += a0.z * e; }
    c3 += a0.w * b;
    if (COLUMNS > 1u) { d3 += a0.w * e; }
    if (ROWS > 4u) {
      let a1 = subgroupBroadcast(a, 1u);
      c4 += a1.x * b;
      if (COLUMNS > 1u) { d4 += a1.x * e; }
      c5 += a1.y * b;
      if (COLUMNS > 1u) { d5 += a1.y * e; }
      c6 += a1.z * b;
      if (COLUMNS > 1u) { d6 += a1.z * e; }
      c7 += a1.w * b;
      if (COLUMNS > 1u) { d7 += a1.w * e; }
    }
    if (ROWS > 8u) {
      let a2 = subgroupBroadcast(a, 2u);
      c8 += a2.x * b;
      if (COLUMNS > 1u) { d8 += a2.x * e; }
      c9 += a2.y * b;
      if (COLUMNS > 1u) { d9 += a2.y * e; }
      c10 += a2.z * b;
      if (COLUMNS > 1u) { d10 += a2.z * e; }
      c11 += a2.w * b;
      if (COLUMNS > 1u) { d11 += a2.w * e; }
      let a3 = subgroupBroadcast(a, 3u);
      c12 += a3.x * b;
      if (COLUMNS > 1u) { d12 += a3.x * e; }
      c13 += a3.y * b;
      if (COLUMNS > 1u) { d13 += a3.y * e; }
      c14 += a3.z * b;
      if (COLUMNS > 1u) { d14 += a3.z * e; }
      c15 += a3.w * b;
      if (COLUMNS > 1u) { d15 += a3.w * e; }
    }
    if (ROWS > 16u) {
      let a4 = subgroupBroadcast(a, 4u);
      c16 += a4.x * b;
      if (COLUMNS > 1u) { d16 += a4.x * e; }
      c17 += a4.y * b;
      if (COLUMNS > 1u) { d17 += a4.y * e; }
      c18 += a4.z * b;
      if (COLUMNS > 1u) { d18 += a4.z * e; }
      c19 += a4.w * b;
      if (COLUMNS > 1u) { d19 += a4.w * e; }
      let a5 = subgroupBroadcast(a, 5u);
      c20 += a5.x * b;
      if (COLUMNS > 1u) { d20 += a5.x * e; }
      c21 += a5.y * b;
      if (COLUMNS > 1u) { d21 += a5.y * e; }
      c22 += a5.z * b;
      if (COLUMNS > 1u) { d22 += a5.z * e; }
      c23 += a5.w * b;
      if (COLUMNS > 1u) { d23 += a5.w * e; }
      let a6 = subgroupBroadcast(a, 6u);
      c24 += a6.x * b;
      if (COLUMNS > 1u) { d24 += a6.x * e; }
      c25 += a6.y * b;
      if (COLUMNS > 1u) { d25 += a6.y * e; }
      c26 += a6.z * b;
      if (COLUMNS > 1u) { d26 += a6.z * e; }
      c27 += a6.w * b;
      if (COLUMNS > 1u) { d27 += a6.w * e; }
      let a7 = subgroupBroadcast(a, 7u);
      c28 += a7.x * b;
      if (COLUMNS > 1u) { d28 += a7.x * e; }
      c29 += a7.y * b;
      if (COLUMNS > 1u) { d29 += a7.y * e; }
      c30 += a7.z * b;
      if (COLUMNS > 1u) { d30 += a7.z * e; }
      c31 += a7.w * b;
      if (COLUMNS > 1u) { d31 += a7.w * e; }
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
