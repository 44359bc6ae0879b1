// GEMM core for products of at most four columns: the invocations of a workgroup share the sum, not the columns.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        invocation i sums k = i, i + WIDTH, ...; a tree adds these sums
//
// A workgroup computes 4 x 4 values. The other cores, whose tiles are 16 columns wide or more, would compute zeros for the most
// part. Such products are convolutions of small batches down to one pixel, and there rounding counts: batch norms over two values
// turn a difference d into d / sqrt(d^2 + 4 epsilon), 158 times a small one. A tree loses as little as exact sums do, in
// what a batch norm after it makes of it (bench/NOTES.md).
//
// What a workgroup sums, and what the operand file gives: lib/gemm_index.wgsl. Host guarantees: sums of WIDTH terms or more.

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let share = share_of(group, groups);
  let m0 = share.tile.y * 4u;
  let n0 = share.tile.x * 4u;
  let a_rows = rows(m0);
  let b_columns = columns(n0);
  let stride = digits(WIDTH, share.extents);
  // [row][column]
  var c = mat4x4f();
  var k = digits(share.start + local, share.extents);
  for (var t = share.start + local; t < share.end; t += WIDTH) {
    let a = read_a(a_rows, k);
    let b = read_b(b_columns, k);
    c += mat4x4f(a.x * b, a.y * b, a.z * b, a.w * b);
    k = further(k, stride, share.extents);
  }
  let total = workgroup_sum(c, local);
  if (local < 4u) {
    write(m0 + local, share.split, places(n0), total[local]);
  }
}
