// Clips gradients to a common norm, after dot.wgsl has left the parts of its square.
//
//   norm = sqrt(sum of parts),   gradients = gradients min(1, max_norm / (norm + 1e-6))
//
// parts [count], norm [1], gradients in Lanes. Each workgroup finds the norm anew, which saves a dispatch; then its
// invocations take every (WIDTH * workgroups)-th item, if anything is to be done at all. 1e-6 is PyTorch's.

struct Params {
  items: u32,
  parts: u32,
  max_norm: f32,
}

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradients: array<Lanes>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let found = sqrt(parts_sum(p.parts, local));
  if (group.x == 0u && local == 0u) {
    norm[0] = found;
  }
  let scale = p.max_norm / (found + 1e-6);
  if (scale < 1.0) {
    for (var i = group.x * WIDTH + local; i < p.items; i += groups.x * WIDTH) {
      gradients[i] *= scale;
    }
  }
}
