// GEMM core for GPUs: tiles staged through workgroup memory, then a register tile per invocation.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        summed in order of k
//
// A workgroup of 16 x 16 computes 64 x 64 values. For every 16 steps of k each invocation loads one vec4 of A (four rows at
// one k) and one of B (four columns at one k) and then adds its 4 x 4 values. Neighbouring invocations load neighbouring k
// of A, which lies contiguous in weights; of B neighbouring columns, or neighbouring k where B_ALONG_K says that B lies so.
// z of the workgroup is item * splits + split: an item is what the operand file makes of it (a batch entry, a group of
// channels, a phase of a strided gradient); a split sums its own range of k into its own part of the output.
//
// k counts in three digits (lib/gemm_index.wgsl). The operand file gives: setup(item), the digits' extents; rows(m) and
// columns(n), the state of four neighbouring rows or columns (clamped to the matrix: what lies outside is computed and
// never written); read_a and read_b, four values at a k; places(n), where in a row four columns are written; write(m, ...).
//
// Source: the blocking of Volkov and Demmel 2008, "Benchmarking GPUs to tune dense linear algebra".

var<workgroup> tile_a: array<vec4f, 256>; // [k][row / 4]
var<workgroup> tile_b: array<vec4f, 256>; // [k][column / 4]

@compute @workgroup_size(256)
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
  let m0 = tile.y * 64u;
  let n0 = tile.x * 64u;
  let low = local % 16u;
  let high = local / 16u;
  let a_rows = rows(m0 + 4u * high);
  let b_group = select(low, high, B_ALONG_K);
  let b_step = select(high, low, B_ALONG_K);
  let b_columns = columns(n0 + 4u * b_group);
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  for (var t = split * per_split; t < end; t += 16u) {
    var a = vec4f();
    var b = vec4f();
    if (t + low < end) {
      a = read_a(a_rows, digits(t + low, extents));
    }
    if (t + b_step < end) {
      b = read_b(b_columns, digits(t + b_step, extents));
    }
    tile_a[low * 16u + high] = a;
    tile_b[b_step * 16u + b_group] = b;
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let row = tile_a[k * 16u + high];
      let column = tile_b[k * 16u + low];
      c0 += row.x * column;
      c1 += row.y * column;
      c2 += row.z * column;
      c3 += row.w * column;
    }
    workgroupBarrier();
  }
  let m = m0 + 4u * high;
  let at = places(n0 + 4u * low);
  write(m, split, at, c0);
  write(m + 1u, split, at, c1);
  write(m + 2u, split, at, c2);
  write(m + 3u, split, at, c3);
}
