// The sum of what dot.wgsl left in `parts`: array<f32>, found anew by each workgroup of the kernel that wants it, which
// saves a dispatch. With lib/workgroup_sum, and SUM = f32.

fn parts_sum(count: u32, local: u32) -> f32 {
  var own = 0.0;
  for (var i = local; i < count; i += WIDTH) {
    own += parts[i];
  }
  return workgroup_sum(own, local);
}
