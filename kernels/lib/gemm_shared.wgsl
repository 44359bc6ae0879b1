// GEMM core for GPUs: tiles staged through workgroup memory, then a register tile per invocation.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        summed in order of k
//
// A workgroup computes TILE_ROWS x TILE_COLUMNS values, an invocation of it ROW_GROUPS groups of four rows by COLUMN_GROUPS
// groups of four columns (1 or 2 each). The groups of an invocation lie apart, so that neighbouring invocations read
// neighbouring vec4s of B and, mostly, the same of A. How operands come there: lib/gemm_staging.wgsl. The loads of the next step
// are under way while this one is computed.
//
// What a workgroup sums, and what the operand file gives: lib/gemm_index.wgsl.
//
// Source: the blocking of Volkov and Demmel 2008, "Benchmarking GPUs to tune dense linear algebra".

const ACROSS = TILE_COLUMNS / (4u * COLUMN_GROUPS);
const DOWN = TILE_ROWS / (4u * ROW_GROUPS);
const INVOCATIONS = ACROSS * DOWN;

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let share = share_of(group, groups);
  let m0 = share.tile.y * TILE_ROWS;
  let n0 = share.tile.x * TILE_COLUMNS;
  let across = local % ACROSS;
  let down = local / ACROSS;
  var c: array<vec4f, 4u * ROW_GROUPS * COLUMN_GROUPS>; // [row][group of columns]
  var s = sides(m0, n0, share.start, local, share.extents);
  var loaded = load(&s, local, share.start, share.end);
  var at = 0u;
  for (var t = share.start; t < share.end; t += K_STEP) {
    if (STAGES == 1u) {
      workgroupBarrier(); // the last step is still being read
    }
    stage(&loaded, local, at);
    workgroupBarrier();
    loaded = load(&s, local, t + K_STEP, share.end);
    for (var k = 0u; k < K_STEP; k++) {
      var b: array<vec4f, COLUMN_GROUPS>;
      for (var j = 0u; j < COLUMN_GROUPS; j++) {
        b[j] = tile_b[(at * K_STEP + k) * B_LINE + across + j * ACROSS];
      }
      for (var i = 0u; i < ROW_GROUPS; i++) {
        let a = tile_a[(at * K_STEP + k) * A_LINE + down + i * DOWN];
        for (var j = 0u; j < COLUMN_GROUPS; j++) {
          let first = 4u * i * COLUMN_GROUPS + j;
          c[first] += a.x * b[j];
          c[first + COLUMN_GROUPS] += a.y * b[j];
          c[first + 2u * COLUMN_GROUPS] += a.z * b[j];
          c[first + 3u * COLUMN_GROUPS] += a.w * b[j];
        }
      }
    }
    at = STAGES - 1u - at;
  }
  for (var j = 0u; j < COLUMN_GROUPS; j++) {
    let to = places(n0 + 4u * (across + j * ACROSS));
    for (var i = 0u; i < ROW_GROUPS; i++) {
      for (var r = 0u; r < 4u; r++) {
        write(m0 + 4u * (down + i * DOWN) + r, share.split, to, c[(4u * i + r) * COLUMN_GROUPS + j]);
      }
    }
  }
}
