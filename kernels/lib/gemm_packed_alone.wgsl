// GEMM core for packed operands without subgroups: each invocation reads all of A that its tile needs.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        summed in order of k
//
// An invocation computes 8 rows of up to four groups of four columns (COLUMNS of them), and a workgroup of 8 invocations their
// neighbours. Texels of A are the same for all of them, but texels are cheap (lib/packed.wgsl): read twice as often per value
// of C as with broadcasts, they cost about half of the time.
//
// What a workgroup sums, and what the operand file gives: lib/gemm_index.wgsl, four terms at a time (lib/terms_4.wgsl).

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let share = share_of(group, groups);
  let m0 = share.tile.y * 8u;
  let n0 = (share.tile.x * COLUMNS * 8u + local) * 4u;
  let rows0 = rows(m0);
  let rows1 = rows(m0 + 4u);
  let columns0 = columns(n0 + 0u);
  let columns1 = columns(n0 + 32u);
  let columns2 = columns(n0 + 64u);
  let columns3 = columns(n0 + 96u);
  var w0 = vec4f();
  var w1 = vec4f();
  var w2 = vec4f();
  var w3 = vec4f();
  var w4 = vec4f();
  var w5 = vec4f();
  var w6 = vec4f();
  var w7 = vec4f();
  var x0 = vec4f();
  var x1 = vec4f();
  var x2 = vec4f();
  var x3 = vec4f();
  var x4 = vec4f();
  var x5 = vec4f();
  var x6 = vec4f();
  var x7 = vec4f();
  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  var y4 = vec4f();
  var y5 = vec4f();
  var y6 = vec4f();
  var y7 = vec4f();
  var z0 = vec4f();
  var z1 = vec4f();
  var z2 = vec4f();
  var z3 = vec4f();
  var z4 = vec4f();
  var z5 = vec4f();
  var z6 = vec4f();
  var z7 = vec4f();
  var k = digits(share.start, share.extents);
  for (var t = share.start; t < share.end; t++) {
    let a = read_a(rows0, k);
    let f = read_a(rows1, k);
    let b = read_b(columns0, k);
    w0 = add_product(w0, a[0], b);
    w1 = add_product(w1, a[1], b);
    w2 = add_product(w2, a[2], b);
    w3 = add_product(w3, a[3], b);
    w4 = add_product(w4, f[0], b);
    w5 = add_product(w5, f[1], b);
    w6 = add_product(w6, f[2], b);
    w7 = add_product(w7, f[3], b);
    if (COLUMNS > 1u) {
      let b = read_b(columns1, k);
      x0 = add_product(x0, a[0], b);
      x1 = add_product(x1, a[1], b);
      x2 = add_product(x2, a[2], b);
      x3 = add_product(x3, a[3], b);
      x4 = add_product(x4, f[0], b);
      x5 = add_product(x5, f[1], b);
      x6 = add_product(x6, f[2], b);
      x7 = add_product(x7, f[3], b);
    }
    if (COLUMNS > 2u) {
      let b = read_b(columns2, k);
      y0 = add_product(y0, a[0], b);
      y1 = add_product(y1, a[1], b);
      y2 = add_product(y2, a[2], b);
      y3 = add_product(y3, a[3], b);
      y4 = add_product(y4, f[0], b);
      y5 = add_product(y5, f[1], b);
      y6 = add_product(y6, f[2], b);
      y7 = add_product(y7, f[3], b);
    }
    if (COLUMNS > 3u) {
      let b = read_b(columns3, k);
      z0 = add_product(z0, a[0], b);
      z1 = add_product(z1, a[1], b);
      z2 = add_product(z2, a[2], b);
      z3 = add_product(z3, a[3], b);
      z4 = add_product(z4, f[0], b);
      z5 = add_product(z5, f[1], b);
      z6 = add_product(z6, f[2], b);
      z7 = add_product(z7, f[3], b);
    }
    k = next(k, share.extents);
  }
  let at0 = places(n0 + 0u);
  let at1 = places(n0 + 32u);
  let at2 = places(n0 + 64u);
  let at3 = places(n0 + 96u);
  var w = array<vec4f, 8>(w0, w1, w2, w3, w4, w5, w6, w7);
  var x = array<vec4f, 8>(x0, x1, x2, x3, x4, x5, x6, x7);
  var v = array<vec4f, 8>(y0, y1, y2, y3, y4, y5, y6, y7);
  var z = array<vec4f, 8>(z0, z1, z2, z3, z4, z5, z6, z7);
  for (var i = 0u; i < 8u; i++) {
    write(m0 + i, share.split, at0, w[i]);
    if (COLUMNS > 1u) {
      write(m0 + i, share.split, at1, x[i]);
    }
    if (COLUMNS > 2u) {
      write(m0 + i, share.split, at2, v[i]);
    }
    if (COLUMNS > 3u) {
      write(m0 + i, share.split, at3, z[i]);
    }
  }
}
