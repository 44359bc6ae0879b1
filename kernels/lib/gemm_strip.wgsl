// GEMM core for products of at most four columns: the invocations of a workgroup share the sum, not the columns.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        invocation i sums k = i, i + WIDTH, ...; a tree adds these sums
//
// A workgroup computes 4 x 4 values. The other cores, whose tiles are 32 columns wide or more, would compute zeros for the most
// part. Such products are convolutions of small batches down to one pixel, and there rounding counts: batch norms over two values
// turn a difference d into d / sqrt(d^2 + 4 epsilon), 158 times a small one. A tree loses as little as exact sums do, in
// what a batch norm after it makes of it (bench/NOTES.md).
// z of the workgroup is item * splits + split: an item is what the operand file makes of it (a batch entry, a group of
// channels, a phase of a strided gradient); a split sums its own range of k into its own part of the output.
//
// k counts in three digits (lib/gemm_index.wgsl), of at least WIDTH steps in all. The operand file gives: setup(item), the
// digits' extents; rows(m) and columns(n), the state of four neighbouring rows or columns (clamped to the matrix: what lies
// outside is computed and never written); read_a and read_b, four values at a k; places(n), where in a row four columns are
// written; write(m, ...).

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = tile_of(group, groups);
  let split = group.z % p.splits;
  let extents = setup(group.z / p.splits);
  let terms = extents.x * extents.y * extents.z;
  let per_split = (terms + p.splits - 1u) / p.splits;
  let end = min(terms, (split + 1u) * per_split);
  let m0 = tile.y * 4u;
  let n0 = tile.x * 4u;
  let a_rows = rows(m0);
  let b_columns = columns(n0);
  let stride = digits(WIDTH, extents);
  // [row][column]
  var c = mat4x4f();
  var k = digits(split * per_split + local, extents);
  for (var t = split * per_split + local; t < end; t += WIDTH) {
    let a = read_a(a_rows, k);
    let b = read_b(b_columns, k);
    c += mat4x4f(a.x * b, a.y * b, a.z * b, a.w * b);
    k = further(k, stride, extents);
  }
  let total = workgroup_sum(c, local);
  if (local < 4u) {
    write(m0 + local, split, places(n0), total[local]);
  }
}
