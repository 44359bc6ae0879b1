// What the spectral_norm kernels know of each layer. They work on all layers of a network at once: y of a workgroup is the
// layer, and x shares out the layer's work.
//
// A layer's weight is the matrix [rows, columns]. A row is cut into `parts` of part_columns columns, the last of which may be
// shorter; a task is one part of one row. All other fields say at which element of a buffer the layer's values begin, which
// for weight, y and gy is a multiple of 64: they may be bound in fours, and padded to whole ones.

struct Layer {
  rows: u32,
  columns: u32,
  parts: u32,
  part_columns: u32,
  /// In the buffer of weights; on the way back, in that of their gradients.
  weight: u32,
  u: u32,
  v: u32,
  /// v before it is scaled to length 1.
  t: u32,
  /// A sum per task; of one row more on the way forward.
  products: u32,
  /// The normalised weight, and on the way back its gradient.
  y: u32,
  gy: u32,
  /// What the way back needs, for u and v move on with each call: v, u, sigma.
  kept: u32,
}

struct Task {
  row: u32,
  /// Its columns: from first to below end.
  first: u32,
  end: u32,
}

fn task_of(layer: Layer, task: u32) -> Task {
  let row = task / layer.parts;
  let first = (task - row * layer.parts) * layer.part_columns;
  return Task(row, first, min(layer.columns, first + layer.part_columns));
}
