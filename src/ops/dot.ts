/** Sums of products of whole tensors, left in parts so that the kernel that wants the sum adds them up by itself. */
import type { Capabilities } from '../kernel/choose.js';
import type { Engine } from '../kernel/engine.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { cut, lanesFor, type Parts, reductionWidth } from './lanes.js';

/** The parts in which `dot` leaves the sum over tensors of `size` values. */
export function dotParts(device: Capabilities, size: number): Parts {
  return cut(size / lanesFor(size).count, device.software ? 8 : 256, 1024);
}

/** The sum of a tensor's squares, in parts [...] to be added up. */
export function sumOfSquares(e: Engine, values: Tensor): Tensor {
  const parts = e.empty([dotParts(e.capabilities, sizeOf(values.shape)).parts]);
  dot(e, values, values, parts);
  return parts;
}

/** Leaves the sum of a b, of equal size, in `parts` from the given element on: as many as `dotParts` says. */
export function dot(e: Engine, a: Tensor, b: Tensor, parts: Tensor, first = 0): void {
  const size = sizeOf(a.shape);
  const lanes = lanesFor(size);
  const { parts: count, items } = dotParts(e.capabilities, size);
  e.dispatch({
    file: 'dot',
    uses: [lanes.file, 'lib/workgroup_sum'],
    constants: { WIDTH: reductionWidth(e.capabilities), SUM: 'f32' },
    tensors: [a, b, parts],
    params: { items: size / lanes.count, part_items: items, first },
    grid: [count],
  });
}
