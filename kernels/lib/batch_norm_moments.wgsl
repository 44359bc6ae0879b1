// Mean and variance of a channel's values by Welford's method: one pass, and no difference of large sums.
//
// Source: Welford 1962; the parts put together after Chan, Golub and LeVeque 1983, "Algorithms for computing the sample
// variance". The kernel has x with elements of Lanes, in f32 or f16, in its Params items (of a channel), and lib/lanes, lib/channel,
// lib/workgroup_sum.

/// The median of three of the channel's values: near the mean even if one of them is far off.
fn shift_of(channel: u32) -> f32 {
  let a = widen(Lanes(x[place_of(channel, 0u).at])).x;
  let b = widen(Lanes(x[place_of(channel, p.items / 2u).at])).x;
  let c = widen(Lanes(x[place_of(channel, p.items - 1u).at])).x;
  return max(min(a, b), min(max(a, b), c));
}

/// Of the items first to end of a channel: the mean of x - shift, and the sum of squared distances from the mean.
fn moments(channel: u32, first: u32, end: u32, shift: f32, local: u32) -> vec2f {
  var count = 0.0;
  var mean = Lanes();
  var squares = Lanes();
  var place = place_of(channel, first + local);
  for (var i = first + local; i < end; i += WIDTH) {
    let value = Lanes(x[place.at]) - shift;
    let distance = value - mean;
    count += 1.0;
    mean += distance / count;
    squares += distance * (value - mean);
    place = next(place);
  }
  let own_mean = lane_sum(mean) / f32(LANES);
  let apart = mean - own_mean;
  let own_squares = lane_sum(squares + count * apart * apart);
  let own_count = count * f32(LANES);
  let common_mean = workgroup_sum(own_count * own_mean, local) / f32((end - first) * LANES);
  let away = own_mean - common_mean;
  return vec2f(common_mean, workgroup_sum(own_squares + own_count * away * away, local));
}
