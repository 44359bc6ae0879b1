// GEMM core for packed operands and subgroups of exactly LANES invocations: an outer product by broadcast, four terms at a time.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        summed in order of k
//
// As lib/gemm_broadcast.wgsl, a subgroup computes ROWS x (4 LANES COLUMNS) values: an invocation owns four columns (and four
// more, 4 LANES further, if COLUMNS is 2), reads four rows of A, and passes them on by subgroupBroadcast. Here operands come
// four terms of the sum at a time, as matrices: each value of C is loaded and stored once for four terms, and stores are what
// limits a CPU whose registers hold no tile.
//
// What a workgroup sums, and what the operand file gives: lib/gemm_index.wgsl, except that a k stands for four terms, read_a
// returns [row][term], and read_b [term][column].

enable subgroups;

/// c + the sum of four terms, in their order.
fn step(c: vec4f, a: vec4f, b: mat4x4f) -> vec4f {
  return (((c + a.x * b[0]) + a.y * b[1]) + a.z * b[2]) + a.w * b[3];
}

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
    var e = mat4x4f();
    if (COLUMNS > 1u) {
      e = read_b(columns1, k);
    }
    let a0 = subgroupBroadcast(a[0], 0u);
    c0 = step(c0, a0, b);
    if (COLUMNS > 1u) { d0 = step(d0, a0, e); }
    let a1 = subgroupBroadcast(a[1], 0u);
    c1 = step(c1, a1, b);
    if (COLUMNS > 1u) { d1 = step(d1, a1, e); }
    let a2 = subgroupBroadcast(a[2], 0u);
    c2 = step(c2, a2, b);
    if (COLUMNS > 1u) { d2 = step(d2, a2, e); }
    let a3 = subgroupBroadcast(a[3], 0u);
    c3 = step(c3, a3, b);
    if (COLUMNS > 1u) { d3 = step(d3, a3, e); }
    if (ROWS > 4u) {
      let a4 = subgroupBroadcast(a[0], 1u);
      c4 = step(c4, a4, b);
      if (COLUMNS > 1u) { d4 = step(d4, a4, e); }
      let a5 = subgroupBroadcast(a[1], 1u);
      c5 = step(c5, a5, b);
      if (COLUMNS > 1u) { d5 = step(d5, a5, e); }
      let a6 = subgroupBroadcast(a[2], 1u);
      c6 = step(c6, a6, b);
      if (COLUMNS > 1u) { d6 = step(d6, a6, e); }
      let a7 = subgroupBroadcast(a[3], 1u);
      c7 = step(c7, a7, b);
      if (COLUMNS > 1u) { d7 = step(d7, a7, e); }
    }
    if (ROWS > 8u) {
      let a8 = subgroupBroadcast(a[0], 2u);
      c8 = step(c8, a8, b);
      if (COLUMNS > 1u) { d8 = step(d8, a8, e); }
      let a9 = subgroupBroadcast(a[1], 2u);
      c9 = step(c9, a9, b);
      if (COLUMNS > 1u) { d9 = step(d9, a9, e); }
      let a10 = subgroupBroadcast(a[2], 2u);
      c10 = step(c10, a10, b);
      if (COLUMNS > 1u) { d10 = step(d10, a10, e); }
      let a11 = subgroupBroadcast(a[3], 2u);
      c11 = step(c11, a11, b);
      if (COLUMNS > 1u) { d11 = step(d11, a11, e); }
      let a12 = subgroupBroadcast(a[0], 3u);
      c12 = step(c12, a12, b);
      if (COLUMNS > 1u) { d12 = step(d12, a12, e); }
      let a13 = subgroupBroadcast(a[1], 3u);
      c13 = step(c13, a13, b);
      if (COLUMNS > 1u) { d13 = step(d13, a13, e); }
      let a14 = subgroupBroadcast(a[2], 3u);
      c14 = step(c14, a14, b);
      if (COLUMNS > 1u) { d14 = step(d14, a14, e); }
      let a15 = subgroupBroadcast(a[3], 3u);
      c15 = step(c15, a15, b);
      if (COLUMNS > 1u) { d15 = step(d15, a15, e); }
    }
    if (ROWS > 16u) {
      let a16 = subgroupBroadcast(a[0], 4u);
      c16 = step(c16, a16, b);
      if (COLUMNS > 1u) { d16 = step(d16, a16, e); }
      let a17 = subgroupBroadcast(a[1], 4u);
      c17 = step(c17, a17, b);
      if (COLUMNS > 1u) { d17 = step(d17, a17, e); }
      let a18 = subgroupBroadcast(a[2], 4u);
      c18 = step(c18, a18, b);
      if (COLUMNS > 1u) { d18 = step(d18, a18, e); }
      let a19 = subgroupBroadcast(a[3], 4u);
      c19 = step(c19, a19, b);
      if (COLUMNS > 1u) { d19 = step(d19, a19, e); }
      let a20 = subgroupBroadcast(a[0], 5u);
      c20 = step(c20, a20, b);
      if (COLUMNS > 1u) { d20 = step(d20, a20, e); }
      let a21 = subgroupBroadcast(a[1], 5u);
      c21 = step(c21, a21, b);
      if (COLUMNS > 1u) { d21 = step(d21, a21, e); }
      let a22 = subgroupBroadcast(a[2], 5u);
      c22 = step(c22, a22, b);
      if (COLUMNS > 1u) { d22 = step(d22, a22, e); }
      let a23 = subgroupBroadcast(a[3], 5u);
      c23 = step(c23, a23, b);
      if (COLUMNS > 1u) { d23 = step(d23, a23, e); }
      let a24 = subgroupBroadcast(a[0], 6u);
      c24 = step(c24, a24, b);
      if (COLUMNS > 1u) { d24 = step(d24, a24, e); }
      let a25 = subgroupBroadcast(a[1], 6u);
      c25 = step(c25, a25, b);
      if (COLUMNS > 1u) { d25 = step(d25, a25, e); }
      let a26 = subgroupBroadcast(a[2], 6u);
      c26 = step(c26, a26, b);
      if (COLUMNS > 1u) { d26 = step(d26, a26, e); }
      let a27 = subgroupBroadcast(a[3], 6u);
      c27 = step(c27, a27, b);
      if (COLUMNS > 1u) { d27 = step(d27, a27, e); }
      let a28 = subgroupBroadcast(a[0], 7u);
      c28 = step(c28, a28, b);
      if (COLUMNS > 1u) { d28 = step(d28, a28, e); }
      let a29 = subgroupBroadcast(a[1], 7u);
      c29 = step(c29, a29, b);
      if (COLUMNS > 1u) { d29 = step(d29, a29, e); }
      let a30 = subgroupBroadcast(a[2], 7u);
      c30 = step(c30, a30, b);
      if (COLUMNS > 1u) { d30 = step(d30, a30, e); }
      let a31 = subgroupBroadcast(a[3], 7u);
      c31 = step(c31, a31, b);
      if (COLUMNS > 1u) { d31 = step(d31, a31, e); }
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
