// The sums of batch_norm's backward pass: see lib/batch_norm_gradient.wgsl.

/// Sums of g and of g xhat over the items first to end of a channel.
fn gradient_sums(channel: u32, first: u32, end: u32, statistics: vec4f, local: u32) -> vec2f {
  var sum = Lanes();
  var product = Lanes();
  var place = place_of(channel, first + local);
  for (var i = first + local; i < end; i += WIDTH) {
    let g = activation_input_gradient(place.at);
    sum += g;
    product += g * normalised(Lanes(x[place.at]), statistics);
    place = next(place);
  }
  return workgroup_sum(vec2f(lane_sum(sum), lane_sum(product)), local);
}
