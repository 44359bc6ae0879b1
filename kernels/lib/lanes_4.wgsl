// What a kernel's invocation handles at once where rows are whole vec4s: four neighbouring values. With lib/lanes_1.wgsl
// in its place the same kernel handles rows of any length, one value at a time.

alias Lanes = vec4f;
const LANES = 4u;

fn sum_lanes(lanes: Lanes) -> f32 {
  return (lanes.x + lanes.y) + (lanes.z + lanes.w);
}

/// For functions that are written for four values.
fn widen(lanes: Lanes) -> vec4f {
  return lanes;
}

fn narrow(value: vec4f) -> Lanes {
  return value;
}
