// The sum of products of two vectors, in parts that whoever wants it adds up (lib/parts_sum.wgsl).
//
//   parts[first + part] = sum over the part's items of a[i] b[i]
//
// a, b in Lanes. A workgroup takes the items part * part_items to (part + 1) * part_items.

struct Params {
  items: u32,
  part_items: u32,
  first: u32,
}

@group(0) @binding(0) var<storage, read> a: array<Lanes>;
@group(0) @binding(1) var<storage, read> b: array<Lanes>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let first = group.x * p.part_items;
  let end = min(p.items, first + p.part_items);
  var own = Lanes();
  for (var i = first + local; i < end; i += WIDTH) {
    own += a[i] * b[i];
  }
  let sum = workgroup_sum(lane_sum(own), local);
  if (local == 0u) {
    parts[p.first + group.x] = sum;
  }
}
