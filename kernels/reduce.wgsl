// Reductions over any set of dimensions.
//
//   y[o] = scale * sum over r of x[o, r]     MODE 0
//   y[o] = max over r of x[o, r]             MODE 1
//   y[o] = number of r with x[o, r] = m[o]   MODE 2 (how many share the maximum)
//
// The dimensions of x, neighbours merged, are two kept ones (outer0, outer1) and two reduced ones (inner0, inner1), each
// with its stride in x, all counted in Lanes: four values at a time where reduced neighbours come in whole vec4s. WIDTH of a
// workgroup's GROUP invocations share an output: each takes every WIDTH-th term, then a tree adds them, always in the same
// order. m [outer0 outer1] is bound always and read in MODE 2.
//
// Sums carry their rounding error along: lib/two_sum.wgsl.

struct Params {
  outputs: u32,
  outer1: u32,
  inner0: u32,
  inner1: u32,
  outer0_stride: u32,
  outer1_stride: u32,
  inner0_stride: u32,
  inner1_stride: u32,
  scale: f32,
  zero: u32,
}

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> m: array<M>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(1) @binding(0) var<uniform> p: Params;

/// Totals and the rounding errors that they have lost.
var<workgroup> partial: array<vec2f, GROUP>;

/// What a value of x counts for in output o.
fn term(value: f32, o: u32) -> vec2f {
  return vec2f(select(value, select(0.0, 1.0, value == f32(m[o])), MODE == 2u), 0.0);
}

fn combine(a: vec2f, b: vec2f) -> vec2f {
  if (MODE == 1u) {
    return vec2f(max(a.x, b.x), 0.0);
  }
  return two_sum(a, b);
}

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let output = (group.y * groups.x + group.x) * (GROUP / WIDTH) + local / WIDTH;
  let o = min(output, p.outputs - 1u);
  let base = (o / p.outer1) * p.outer0_stride + (o % p.outer1) * p.outer1_stride;
  let first = local % WIDTH;
  let terms = p.inner0 * p.inner1;
  var total = vec2f(select(0.0, widen(Lanes(x[base])).x, MODE == 1u), 0.0);
  // Two digits of the term counted along, so that the loop needs no division.
  var i0 = first / p.inner1;
  var i1 = first % p.inner1;
  for (var t = first; t < terms; t += WIDTH) {
    let values = widen(Lanes(x[base + i0 * p.inner0_stride + i1 * p.inner1_stride]));
    total = combine(total, term(values.x, o));
    if (LANES == 4u) {
      total = combine(total, term(values.y, o));
      total = combine(total, term(values.z, o));
      total = combine(total, term(values.w, o));
    }
    i1 += WIDTH;
    while (i1 >= p.inner1) {
      i1 -= p.inner1;
      i0 += 1u;
    }
  }
  if (WIDTH > 1u) {
    partial[local] = total;
    for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (local % WIDTH < half) {
        partial[local] = combine(partial[local], partial[local + half]);
      }
    }
    total = partial[local];
  }
  if (first == 0u && output < p.outputs) {
    y[output] = Y(select(total.x, p.scale * (total.x + total.y), MODE == 0u));
  }
}
