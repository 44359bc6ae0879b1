// Subgroup matrices, in which a subgroup multiplies at once: MATRIX_M x MATRIX_K by MATRIX_K x MATRIX_N, f16 in, f32 out.
//
// All that a core knows of them: where they lie in its workgroup memory, in vec4s from the beginning, and that all invocations
// of a subgroup do the same. `tile_a` is [k][row], so its lines are the columns of a left matrix.
// Host guarantees: the device offers this shape, and has one size of subgroups, LANES.
//
// Source: Dawn's docs/dawn/features/subgroup_matrix.md (WGSL proposal "Subgroup Matrix").

enable subgroups;
enable chromium_experimental_subgroup_matrix;

alias Left = subgroup_matrix_left<f16, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<f16, MATRIX_N, MATRIX_K>;
alias Result = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

fn load_left(place: u32) -> Left {
  return subgroupMatrixLoad<Left, col_major>(&tile_a, place, A_LINE);
}

fn load_right(place: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&tile_b, place, B_LINE);
}

fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}

fn store_result(place: u32, result: Result) {
  subgroupMatrixStore<row_major>(&tile_c, place, result, C_LINE);
}
