// kernels/lib/subgroup_matrix.wgsl in plain WGSL, for adapters that have no such matrices: the same sums, f16 in, f32 out.
//
// A left or right matrix is no more than its place, for the core leaves the tiles alone until it has multiplied them. Of a result
// an invocation holds every LANES-th value: as with real ones, none can do without the others. Which one it is, `own_lane`, the
// entry point has to say.
// Loops end at a number that no compiler knows: it would unroll them, and take seconds for each kernel.

enable subgroups;

const OWN = MATRIX_M * MATRIX_N / LANES;

var<private> own_lane: u32;

struct Left {
  place: u32,
}

struct Right {
  place: u32,
}

struct Result {
  own: array<f32, OWN>,
}

fn unknown(count: u32) -> u32 {
  return min(count, count * p.splits);
}

fn load_left(place: u32) -> Left {
  return Left(place);
}

fn load_right(place: u32) -> Right {
  return Right(place);
}

fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
  var result = sum;
  for (var i = 0u; i < unknown(OWN); i++) {
    let m = (own_lane + i * LANES) / MATRIX_N;
    let n = (own_lane + i * LANES) % MATRIX_N;
    for (var k = 0u; k < unknown(MATRIX_K); k++) {
      let a = f32(tile_a[left.place + k * A_LINE + m / 4u][m % 4u]);
      let b = f32(tile_b[right.place + k * B_LINE + n / 4u][n % 4u]);
      result.own[i] += a * b;
    }
  }
  return result;
}

fn store_result(place: u32, result: Result) {
  for (var i = 0u; i < unknown(OWN); i++) {
    let m = (own_lane + i * LANES) / MATRIX_N;
    let n = (own_lane + i * LANES) % MATRIX_N;
    tile_c[place + m * C_LINE + n / 4u][n % 4u] = result.own[i];
  }
}
