// The taps of a kernel that meet a phase of a strided convolution's input: the first, and every step-th from it on
// (conv2d_input_gradient.wgsl).

/// The least k below `step` with k dil = remainder mod stride; beyond any kernel if there is none.
fn first_tap(remainder: u32, stride: u32, dilation: u32, step: u32) -> u32 {
  for (var k = 0u; k < step; k++) {
    if ((k * dilation) % stride == remainder) {
      return k;
    }
  }
  return 0xffffu;
}

/// How many of a kernel's `extent` taps these are.
fn taps(start: u32, extent: u32, step: u32) -> u32 {
  return select(0u, (extent - start + step - 1u) / step, start < extent);
}
