// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): four random words of a counter and a key.
//
// Element i of a tensor takes word i mod 4 of the counter (floor(i / 4), stream, 0, 0) under the key (low, high) half of the
// seed, so that any element can be drawn anywhere, in any order, as often as it is wanted.

/// The upper 32 bits of the 64-bit product, by parts of 16 bits.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  // Neither sum overflows: (2^16 - 1)^2 + 2^16 - 1 < 2^32.
  let middle = a_high * b_low + ((a_low * b_low) >> 16u);
  let carried = a_low * b_high + (middle & 0xffffu);
  return a_high * b_high + (middle >> 16u) + (carried >> 16u);
}

fn philox4x32(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var i = 0u; i < 10u; i++) {
    c = vec4u(
      multiply_high(0xcd9e8d57u, c.z) ^ c.y ^ k.x,
      0xcd9e8d57u * c.z,
      multiply_high(0xd2511f53u, c.x) ^ c.w ^ k.y,
      0xd2511f53u * c.x,
    );
    // Weyl increments: the fractions of the golden ratio and of sqrt(3).
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

/// Whole numbers of 24 bits for elements 4 i to 4 i + 3: 2^24 times their uniform numbers in [0, 1).
fn random24(i: u32, stream: u32, key: vec2u) -> vec4u {
  return philox4x32(vec4u(i, stream, 0u, 0u), key) >> vec4u(8u);
}
