// The way back from both ends of what the channel gate gives: from the product with the pixel's attention, and from the
// maximum and mean over channels that the attention is computed of. Channels that tie for the maximum share its gradient.
//
// The kernel has attention, ties [N, H, W] and pixels, gpixels [N, 2, H, W] in Lanes, and in its Params channels and items.

struct Pixel {
  attention: Lanes,
  /// The greatest gated value, its gradient for each channel that reaches it, and the mean's for every channel.
  peak: Lanes,
  of_peak: Lanes,
  of_mean: Lanes,
}

fn pixel_at(n: u32, item: u32) -> Pixel {
  let at = n * p.items + item;
  let pair = at + n * p.items;
  return Pixel(
    attention[at],
    pixels[pair],
    gpixels[pair] / ties[at],
    gpixels[pair + p.items] / f32(p.channels),
  );
}

/// The gradient of `gated`, x times its channel's gate; g is that of gated times attention.
fn gated_gradient(pixel: Pixel, gated: Lanes, g: Lanes) -> Lanes {
  return pixel.attention * g + pixel.of_mean + pixel.of_peak * lanes_equal(gated, pixel.peak);
}
