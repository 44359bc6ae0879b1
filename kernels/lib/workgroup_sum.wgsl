// The sum over a workgroup of WIDTH invocations (a power of two), by a tree: always in the same order.
//
// SUM: the type of what is summed.

var<workgroup> terms: array<SUM, WIDTH>;

/// Every invocation of the workgroup calls it, and every one gets the sum.
fn workgroup_sum(term: SUM, local: u32) -> SUM {
  terms[local] = term;
  for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      terms[local] += terms[local + half];
    }
  }
  workgroupBarrier();
  let sum = terms[0];
  // Nobody may begin the next sum before all have read this one.
  workgroupBarrier();
  return sum;
}
