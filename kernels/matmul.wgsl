// Batched matrix product with transposes by strides; also linear (B = weight transposed) and its gradients.
//
//   c[b, m, n] = activation(bias[n] + sum over k of A[b, m, k] B[b, k, n])
//
// A's element is a[b batch_a + m row_a + k inner_a], B's b[b batch_b + k inner_b + n column_b]; c is [batches, M, N] or
// splits of it. bias [N] is bound always and read if BIAS. An item is an entry of the batch; k = (k, 0, 0).
// Host guarantees: with splits > 1 there is no bias and no activation here.

struct Params {
  rows: u32,
  columns: u32,
  splits: u32,
  row_tiles: u32,
  inner: u32,
  batch_a: u32,
  row_a: u32,
  inner_a: u32,
  batch_b: u32,
  inner_b: u32,
  column_b: u32,
  split_size: u32,
  slope: f32,
}

@group(0) @binding(0) var<storage, read> a: array<FIRST>;
@group(0) @binding(1) var<storage, read> b: array<SECOND>;
@group(0) @binding(2) var<storage, read> bias: array<THIRD>;
@group(0) @binding(3) var<storage, read_write> c: array<RESULT>;
@group(1) @binding(0) var<uniform> p: Params;

struct Rows {
  base: vec4u,
}

struct Columns {
  base: vec4u,
}

var<private> entry: u32;

fn setup(item: u32) -> vec3u {
  entry = item;
  return vec3u(p.inner, 1u, 1u);
}

fn rows(m: u32) -> Rows {
  return Rows(entry * p.batch_a + min(vec4u(m, m + 1u, m + 2u, m + 3u), vec4u(p.rows - 1u)) * p.row_a);
}

fn columns(n: u32) -> Columns {
  return Columns(entry * p.batch_b + min(vec4u(n, n + 1u, n + 2u, n + 3u), vec4u(p.columns - 1u)) * p.column_b);
}

fn read_a(r: Rows, k: vec3u) -> vec4f {
  let i = r.base + k.x * p.inner_a;
  return vec4f(vec4<FIRST>(a[i.x], a[i.y], a[i.z], a[i.w]));
}

fn read_b(columns: Columns, k: vec3u) -> vec4f {
  let i = columns.base + k.x * p.inner_b;
  return vec4f(vec4<SECOND>(b[i.x], b[i.y], b[i.z], b[i.w]));
}

fn places(n: u32) -> vec4u {
  let column = vec4u(n, n + 1u, n + 2u, n + 3u);
  return select(vec4u(OUTSIDE), column, column < vec4u(p.columns));
}

fn write(m: u32, split: u32, at: vec4u, value: vec4f) {
  if (m >= p.rows) {
    return;
  }
  let row = split * p.split_size + (entry * p.rows + m) * p.columns;
  for (var j = 0u; j < 4u; j++) {
    if (at[j] != OUTSIDE) {
      var v = value[j];
      if (BIAS) {
        v += f32(bias[at[j]]);
      }
      c[row + at[j]] = RESULT(activate(v, p.slope));
    }
  }
}
