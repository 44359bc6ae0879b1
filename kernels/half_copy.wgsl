// Copies in f16 of all tensors of a flat buffer of f32, four values at a time.
//
//   copies[places[block] + j] = values[16 block + j]      j = 0 .. 15
//
// Tensors begin at whole bindings (256 bytes) in either buffer, so they lie twice as close in copies, and not all in step:
// places [blocks] says where each 16 vec4s of values go. One invocation per vec4.

struct Params {
  vectors: u32,
}

@group(0) @binding(0) var<storage, read> values: array<vec4f>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> copies: array<COPIES>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < p.vectors) {
    copies[places[i / 16u] + i % 16u] = COPIES(values[i]);
  }
}
