// Walks one channel of x [N, C, plane], WIDTH items apart, without a division per step. An item is a Lanes (lib/lanes).
//
// Item i of channel c, i < N plane, is x[(n C + c) plane + column] with i = n plane + column.
// The kernel's Params have: channels (C), plane, and what WIDTH items amount to: step, to be added to the place in x, and
// step_column, to be added to the column. A column beyond the plane is carried over to the next image.

struct Place {
  at: u32,
  column: u32,
}

fn place_of(channel: u32, item: u32) -> Place {
  let image = item / p.plane;
  let column = item - image * p.plane;
  return Place((image * p.channels + channel) * p.plane + column, column);
}

fn next(place: Place) -> Place {
  let column = place.column + p.step_column;
  let carry = column >= p.plane;
  return Place(
    place.at + p.step + select(0u, (p.channels - 1u) * p.plane, carry),
    column - select(0u, p.plane, carry),
  );
}
