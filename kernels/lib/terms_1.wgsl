// Terms of the sum that a GEMM core takes at a time. Here one; lib/terms_4 has four, for packed operands. A core reads a[i], its
// row i's of four rows of A, and b, those of four columns of B: lib/gemm_broadcast is written for either.

alias ColumnTerms = vec4f;

/// c + the product of a row and four columns.
fn add_product(c: vec4f, a: f32, b: ColumnTerms) -> vec4f {
  return c + a * b;
}
