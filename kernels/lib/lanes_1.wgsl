// What a kernel's invocation handles at once where rows are not whole vec4s: one value. lib/lanes_4.wgsl has the rest.

alias Lanes = f32;
const LANES = 1u;

fn sum_lanes(lanes: Lanes) -> f32 {
  return lanes;
}

fn widen(lanes: Lanes) -> vec4f {
  return vec4f(lanes);
}

fn narrow(value: vec4f) -> Lanes {
  return value.x;
}
