// How the GEMM cores for GPUs stage their operands: K_STEP steps of k at a time, through workgroup memory, as STAGED (vec4f or vec4h).
//
// A workgroup computes TILE_ROWS x TILE_COLUMNS values. For every step it stages vec4s: four rows of A at one k, four columns of
// B at one k. Neighbouring invocations load neighbouring k of A, which lies contiguous in weights; of B neighbouring columns, or
// neighbouring k where B_ALONG_K says that B lies so. Beyond the end of the sum are zeros.
// Lines of a stage are PADDING vec4s longer than they need be, 16 bytes: invocations that store down a column meet different
// banks then.
// With two STAGES one barrier a step is enough: while some invocations still read one, others may fill the other.
//
// The core gives INVOCATIONS, those of a workgroup.
// Host guarantees: they are a multiple of K_STEP and of TILE_COLUMNS / 4, which are powers of two; the stages fit into the
// workgroup's memory.
//
// Source: staging as in NVIDIA's CUTLASS ("Efficient GEMM in CUDA").

const ROW_VECTORS = TILE_ROWS / 4u;
const COLUMN_VECTORS = TILE_COLUMNS / 4u;
/// vec4s that an invocation loads a step; perhaps less than one.
const A_LOADS = (ROW_VECTORS * K_STEP + INVOCATIONS - 1u) / INVOCATIONS;
const B_LOADS = (COLUMN_VECTORS * K_STEP + INVOCATIONS - 1u) / INVOCATIONS;
const A_LINE = ROW_VECTORS + PADDING;
const B_LINE = COLUMN_VECTORS + PADDING;

var<workgroup> tile_a: array<STAGED, STAGES * K_STEP * A_LINE>; // [stage][k][row / 4]
var<workgroup> tile_b: array<STAGED, STAGES * K_STEP * B_LINE>; // [stage][k][column / 4]

/// What an invocation loads in a step.
struct Loads {
  a: array<STAGED, A_LOADS>,
  b: array<STAGED, B_LOADS>,
}

/// From where it loads: the states of its rows and columns, and the digits of k at which its next loads are.
struct Sides {
  rows: array<Rows, A_LOADS>,
  columns: array<Columns, B_LOADS>,
  a_k: vec3u,
  b_k: vec3u,
  step: vec3u, // the digits of K_STEP
  apart: vec3u, // and of what lies between two loads of B
  extents: vec3u,
}

/// The vector of A, or of B, that an invocation's load i is of, and its k within the step.
fn a_vector(local: u32, i: u32) -> u32 {
  return local / K_STEP + i * (INVOCATIONS / K_STEP);
}

fn b_vector(local: u32, i: u32) -> u32 {
  if (B_ALONG_K) {
    return local / K_STEP + i * (INVOCATIONS / K_STEP);
  }
  return local % COLUMN_VECTORS;
}

fn b_step(local: u32, i: u32) -> u32 {
  if (B_ALONG_K) {
    return local % K_STEP;
  }
  return local / COLUMN_VECTORS + i * (INVOCATIONS / COLUMN_VECTORS);
}

/// Whether load i of B is one at all: vectors, or steps of k, may be fewer than invocations.
fn b_exists(local: u32, i: u32) -> bool {
  return b_vector(local, i) < COLUMN_VECTORS && b_step(local, i) < K_STEP;
}

/// The sides of the tile that begins at row m and column n, for a sum from `start` on. Divisions are here only: load adds digits.
fn sides(m: u32, n: u32, start: u32, local: u32, extents: vec3u) -> Sides {
  var s: Sides;
  for (var i = 0u; i < A_LOADS; i++) {
    s.rows[i] = rows(m + 4u * a_vector(local, i));
  }
  for (var i = 0u; i < B_LOADS; i++) {
    s.columns[i] = columns(n + 4u * b_vector(local, i));
  }
  s.a_k = digits(start + local % K_STEP, extents);
  s.b_k = digits(start + b_step(local, 0u), extents);
  s.step = digits(K_STEP, extents);
  s.apart = digits(INVOCATIONS / COLUMN_VECTORS, extents);
  s.extents = extents;
  return s;
}

/// The step of k that begins at t, and the digits go on to the next.
fn load(s: ptr<function, Sides>, local: u32, t: u32, end: u32) -> Loads {
  var loaded: Loads;
  for (var i = 0u; i < A_LOADS; i++) {
    if (a_vector(local, i) < ROW_VECTORS && t + local % K_STEP < end) {
      loaded.a[i] = STAGED(read_a((*s).rows[i], (*s).a_k));
    }
  }
  var k = (*s).b_k;
  for (var i = 0u; i < B_LOADS; i++) {
    if (b_exists(local, i) && t + b_step(local, i) < end) {
      loaded.b[i] = STAGED(read_b((*s).columns[i], k));
    }
    if (!B_ALONG_K) {
      k = further(k, (*s).apart, (*s).extents);
    }
  }
  (*s).a_k = further((*s).a_k, (*s).step, (*s).extents);
  (*s).b_k = further((*s).b_k, (*s).step, (*s).extents);
  return loaded;
}

/// Puts what was loaded into stage `at`.
fn stage(loaded: ptr<function, Loads>, local: u32, at: u32) {
  for (var i = 0u; i < A_LOADS; i++) {
    if (a_vector(local, i) < ROW_VECTORS) {
      tile_a[(at * K_STEP + local % K_STEP) * A_LINE + a_vector(local, i)] = (*loaded).a[i];
    }
  }
  for (var i = 0u; i < B_LOADS; i++) {
    if (b_exists(local, i)) {
      tile_b[(at * K_STEP + b_step(local, i)) * B_LINE + b_vector(local, i)] = (*loaded).b[i];
    }
  }
}
