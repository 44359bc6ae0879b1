// Terms of the sum that a GEMM core takes at a time. Here four, for packed operands: a k stands for four terms, read_a returns
// [row][term], and read_b [term][column]. lib/terms_1 has one. Each value of C is loaded and stored once for four terms, and stores
// are what limits a CPU whose registers hold no tile.

alias ColumnTerms = mat4x4f;

/// c + the product of a row and four columns, summed in order of the terms.
fn add_product(c: vec4f, a: vec4f, b: ColumnTerms) -> vec4f {
  return (((c + a.x * b[0]) + a.y * b[1]) + a.z * b[2]) + a.w * b[3];
}
