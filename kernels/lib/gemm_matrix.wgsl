// GEMM core for GPUs with subgroup matrices (tensor cores), for operands that are stored in f16.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        products of f16, sums in f32
//
// A workgroup of DOWN x ACROSS subgroups computes TILE_ROWS x TILE_COLUMNS values, each subgroup its own block of them as
// ROW_MATRICES x COLUMN_MATRICES matrices (lib/subgroup_matrix.wgsl), from operands that are staged as they are stored
// (lib/gemm_staging.wgsl). The loads of the next step are under way while this one is computed. A matrix has no elements that
// an invocation could reach, so results go through workgroup memory once more, matrix by matrix, before they are written.
//
// What a workgroup sums, and what the operand file gives: lib/gemm_index.wgsl. Host guarantees: blocks are whole matrices, K_STEP
// whole steps of them; LANES, the size of a subgroup, is a multiple of MATRIX_N / 4.
//
// Source: warp tiling as in NVIDIA's CUTLASS ("Efficient GEMM in CUDA").

const INVOCATIONS = DOWN * ACROSS * LANES;
const ROW_MATRICES = TILE_ROWS / DOWN / MATRIX_M;
const COLUMN_MATRICES = TILE_COLUMNS / ACROSS / MATRIX_N;
/// vec4s of a matrix's row, and of a line of tile_c: a few banks more, for rows are stored at once.
const RESULT_VECTORS = MATRIX_N / 4u;
const C_LINE = RESULT_VECTORS + 1u;

var<workgroup> tile_c: array<vec4f, DOWN * ACROSS * MATRIX_M * C_LINE>; // [subgroup][row][column / 4]

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let share = share_of(group, groups);
  let m0 = share.tile.y * TILE_ROWS;
  let n0 = share.tile.x * TILE_COLUMNS;
  // The subgroup's block within the tile.
  let block_m = subgroup / ACROSS * (TILE_ROWS / DOWN);
  let block_n = subgroup % ACROSS * (TILE_COLUMNS / ACROSS);
  var c: array<Result, ROW_MATRICES * COLUMN_MATRICES>;
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
    for (var k = 0u; k < K_STEP; k += MATRIX_K) {
      let line_a = (at * K_STEP + k) * A_LINE + block_m / 4u;
      let line_b = (at * K_STEP + k) * B_LINE + block_n / 4u;
      var b: array<Right, COLUMN_MATRICES>;
      for (var j = 0u; j < COLUMN_MATRICES; j++) {
        b[j] = load_right(line_b + j * (MATRIX_N / 4u));
      }
      for (var i = 0u; i < ROW_MATRICES; i++) {
        let a = load_left(line_a + i * (MATRIX_M / 4u));
        for (var j = 0u; j < COLUMN_MATRICES; j++) {
          c[i * COLUMN_MATRICES + j] = multiply_add(a, b[j], c[i * COLUMN_MATRICES + j]);
        }
      }
    }
    at = STAGES - 1u - at;
  }
  let place = subgroup * MATRIX_M * C_LINE;
  for (var j = 0u; j < COLUMN_MATRICES; j++) {
    let to = places(n0 + block_n + j * MATRIX_N + 4u * (lane % RESULT_VECTORS));
    for (var i = 0u; i < ROW_MATRICES; i++) {
      store_result(place, c[i * COLUMN_MATRICES + j]);
      workgroupBarrier();
      for (var r = lane / RESULT_VECTORS; r < MATRIX_M; r += LANES / RESULT_VECTORS) {
        write(m0 + block_m + i * MATRIX_M + r, share.split, to, tile_c[place + r * C_LINE + lane % RESULT_VECTORS]);
      }
      workgroupBarrier();
    }
  }
}
