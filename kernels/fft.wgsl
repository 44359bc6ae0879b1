// One pass of a fast Fourier transform in Stockham's form, whose output needs no sorting, over a batch of sequences.
//
//   all passes:  y[k] = scale sum over m of x[m] e^(sign 2 pi i k m / n)
//   this pass:   joins RADIX (2, 4 or 8) transforms of `done` points into one of RADIX done points,
//
//   y[(i - k) RADIX + k + s done] = scale sum over r of e^(sign 2 pi i r (k / (RADIX done) + s / RADIX)) x[i + r stride]
//
// for s, r = 0 .. RADIX - 1, i = 0 .. stride - 1, stride = n / RADIX, k = i mod done.
//
// x, y    [batch, n] complex, interleaved
// roots   [roots] complex: e^(2 pi i t / roots); root_step = roots / (RADIX done)
//
// One invocation per i of every sequence. Host guarantees: n, done and roots are powers of two; roots >= n.
// The radix-8 butterfly is two of radix 4 and a step of radix 2 between them.

struct Params {
  butterflies: u32,
  stride: u32,
  done: u32,
  root_step: u32,
  sign: f32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec2f>;
@group(0) @binding(1) var<storage, read> roots: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;
@group(1) @binding(0) var<uniform> p: Params;

struct Four {
  a: vec2f,
  b: vec2f,
  c: vec2f,
  d: vec2f,
}

fn product(a: vec2f, b: vec2f) -> vec2f {
  return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// e^(sign 2 pi i turns / (RADIX done))
fn root(turns: u32) -> vec2f {
  let value = roots[turns * p.root_step];
  return vec2f(value.x, p.sign * value.y);
}

// sign i a
fn quarter_turn(a: vec2f) -> vec2f {
  return vec2f(-p.sign * a.y, p.sign * a.x);
}

fn transform4(a: vec2f, b: vec2f, c: vec2f, d: vec2f) -> Four {
  let even = a + c;
  let odd = b + d;
  let even_difference = a - c;
  let odd_difference = quarter_turn(b - d);
  return Four(even + odd, even_difference + odd_difference, even - odd, even_difference - odd_difference);
}

fn input(start: u32, r: u32) -> vec2f {
  return x[start + r * p.stride];
}

fn store(start: u32, s: u32, value: vec2f) {
  y[start + s * p.done] = p.scale * value;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let butterfly = id.y * groups.x * 64u + id.x;
  if (butterfly >= p.butterflies) {
    return;
  }
  let i = butterfly & (p.stride - 1u);
  let k = i & (p.done - 1u);
  let sequence = (butterfly - i) * RADIX;
  let inputs = sequence + i;
  let outputs = sequence + (i - k) * RADIX + k;

  if (RADIX == 2u) {
    let a = input(inputs, 0u);
    let b = product(input(inputs, 1u), root(k));
    store(outputs, 0u, a + b);
    store(outputs, 1u, a - b);
  } else if (RADIX == 4u) {
    let all = transform4(
      input(inputs, 0u),
      product(input(inputs, 1u), root(k)),
      product(input(inputs, 2u), root(2u * k)),
      product(input(inputs, 3u), root(3u * k)),
    );
    store(outputs, 0u, all.a);
    store(outputs, 1u, all.b);
    store(outputs, 2u, all.c);
    store(outputs, 3u, all.d);
  } else {
    let root1 = root(k);
    let root2 = root(2u * k);
    let root3 = root(3u * k);
    let root4 = root(4u * k);
    let even = transform4(
      input(inputs, 0u),
      product(input(inputs, 2u), root2),
      product(input(inputs, 4u), root4),
      product(input(inputs, 6u), product(root2, root4)),
    );
    let odd = transform4(
      product(input(inputs, 1u), root1),
      product(input(inputs, 3u), root3),
      product(input(inputs, 5u), product(root1, root4)),
      product(input(inputs, 7u), product(root3, root4)),
    );
    // The odd ones times e^(sign 2 pi i s / 8).
    let half = sqrt(0.5);
    let odd_b = product(odd.b, vec2f(half, p.sign * half));
    let odd_c = quarter_turn(odd.c);
    let odd_d = product(odd.d, vec2f(-half, p.sign * half));
    store(outputs, 0u, even.a + odd.a);
    store(outputs, 1u, even.b + odd_b);
    store(outputs, 2u, even.c + odd_c);
    store(outputs, 3u, even.d + odd_d);
    store(outputs, 4u, even.a - odd.a);
    store(outputs, 5u, even.b - odd_b);
    store(outputs, 6u, even.c - odd_c);
    store(outputs, 7u, even.d - odd_d);
  }
}
