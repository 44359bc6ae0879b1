/** Views of tensors as strides per dimension, and the kernels that walk them: copies, broadcasts and reductions. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';

/** Dimensions that the strided kernels walk at most. */
const RANK = 6;

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** Strides that walk `shape` as if it were broadcast to `target`: 0 where it is repeated. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, i) => (i < missing || shape[i - missing] === 1 ? 0 : own[i - missing]!));
}

/**
 * The same walk with as few dimensions as can be: extents of 1 dropped, neighbours merged where every operand's stride
 * of the outer one is its stride of the inner one times the extent. Throws beyond `limit` dimensions.
 */
export function collapse(
  shape: Shape,
  operands: readonly (readonly number[])[],
  limit = RANK,
): { shape: number[]; strides: number[][] } {
  const extents: number[] = [];
  const strides: number[][] = operands.map(() => []);
  shape.forEach((extent, i) => {
    if (extent === 1) return;
    const last = extents.length - 1;
    if (last >= 0 && operands.every((operand, o) => strides[o]![last] === operand[i]! * extent)) {
      extents[last]! *= extent;
      operands.forEach((operand, o) => {
        strides[o]![last] = operand[i]!;
      });
    } else {
      extents.push(extent);
      operands.forEach((operand, o) => {
        strides[o]!.push(operand[i]!);
      });
    }
  });
  if (extents.length > limit)
    throw new Error(`a walk over ${shape.length} dimensions of [${shape}] needs more than ${limit} loops`);
  return { shape: extents, strides };
}

/** Uniforms `name0` (outermost) to `name<count - 1>`, padded in front with `neutral`. */
export function numbered(
  name: string,
  values: readonly number[],
  neutral: number,
  count = RANK,
): Record<string, number> {
  const padded = [...new Array<number>(count - values.length).fill(neutral), ...values];
  return Object.fromEntries(padded.map((value, i) => [`${name}${i}`, value]));
}

/** One side of a strided copy: a tensor, the strides of the walk in it, and the element that it starts from. */
export interface Walk {
  readonly tensor: Tensor;
  readonly strides: readonly number[];
  readonly start?: number;
}

/** Copies all values of `x` into `y`, one after another from element `start` on. */
export function copyInto(e: Engine, x: Tensor, y: Tensor, start: number): void {
  stridedCopy(e, [sizeOf(x.shape)], { tensor: x, strides: [1] }, { tensor: y, strides: [1], start });
}

/** to[i . to.strides] = scale * from[i . from.strides] for every index i of `shape`. */
export function stridedCopy(e: Engine, shape: Shape, from: Walk, to: Walk, scale = 1): void {
  const walk = collapse(shape, [from.strides, to.strides]);
  const size = sizeOf(shape);
  e.dispatch({
    file: 'strided_copy',
    constants: { ...elements({ SOURCE: from.tensor, DESTINATION: to.tensor }), RANK: Math.max(1, walk.shape.length) },
    tensors: [from.tensor, to.tensor],
    params: {
      size,
      from_start: from.start ?? 0,
      to_start: to.start ?? 0,
      scale,
      ...numbered('extent', walk.shape, 1),
      ...numbered('from', walk.strides[0]!, 0),
      ...numbered('to', walk.strides[1]!, 0),
    },
    grid: gridFor(size, 64),
  });
}
