// GEMM core for CPU adapters: a register tile per invocation, no workgroup memory, no subgroups.
//
//   C[m, n] = sum over k of A[m, k] B[k, n]        summed in order of k
//
// An invocation computes ROWS x 8 values, ROWS 4 or 8. Loads come straight from storage: on CPU adapters workgroup memory
// is slower than the cache behind it.
//
// What a workgroup sums, and what the operand file gives: lib/gemm_index.wgsl.
// One flat loop: SwiftShader copies all accumulators at each loop's edge; three nested ones took six times as long.
//
// Source: register blocking after Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication".

@compute @workgroup_size(GROUP_COLUMNS, GROUP_ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let share = share_of(group, groups);
  let m0 = (share.tile.y * GROUP_ROWS + local.y) * ROWS;
  let n0 = (share.tile.x * GROUP_COLUMNS + local.x) * 8u;
  if (m0 >= p.rows || n0 >= p.columns) {
    return;
  }
  let rows0 = rows(m0);
  let rows1 = rows(m0 + 4u);
  let columns0 = columns(n0);
  let columns1 = columns(n0 + 4u);
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
  var k = digits(share.start, share.extents);
  for (var t = share.start; t < share.end; t++) {
    let b0 = read_b(columns0, k);
    let b1 = read_b(columns1, k);
    let a0 = read_a(rows0, k);
    c0 += a0.x * b0;
    d0 += a0.x * b1;
    c1 += a0.y * b0;
    d1 += a0.y * b1;
    c2 += a0.z * b0;
    d2 += a0.z * b1;
    c3 += a0.w * b0;
    d3 += a0.w * b1;
    if (ROWS > 4u) {
      let a1 = read_a(rows1, k);
      c4 += a1.x * b0;
      d4 += a1.x * b1;
      c5 += a1.y * b0;
      d5 += a1.y * b1;
      c6 += a1.z * b0;
      d6 += a1.z * b1;
      c7 += a1.w * b0;
      d7 += a1.w * b1;
    }
    k = next(k, share.extents);
  }
  var c = array<vec4f, 8>(c0, c1, c2, c3, c4, c5, c6, c7);
  var d = array<vec4f, 8>(d0, d1, d2, d3, d4, d5, d6, d7);
  let places0 = places(n0);
  let places1 = places(n0 + 4u);
  for (var i = 0u; i < ROWS; i++) {
    write(m0 + i, share.split, places0, c[i]);
    write(m0 + i, share.split, places1, d[i]);
  }
}
