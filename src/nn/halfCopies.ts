/** A network's parameters once more in f16, for mixed precision: made anew by one dispatch after each update. */
import type { HalfCopies } from '../autograd/halves.js';
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { elementBytes, layOut, sizeOf, type Tensor, VIEW_ALIGNMENT, vectors } from '../memory/tensor.js';

export interface ParameterCopies {
  /** The copy of each parameter. */
  readonly copies: HalfCopies;
  /** Copies the parameters as they are now. */
  refresh(e: Engine): void;
  destroy(e: Engine): void;
}

/** A block is what begins where a binding may: so many values of the flat buffer, in so many vec4s. */
const BLOCK = VIEW_ALIGNMENT / elementBytes('f32');
const BLOCK_VECTORS = BLOCK / 4;

/** Copies of `parameters`, which are views of `values` and are all that it holds. */
export function createCopies(e: Engine, values: Tensor, parameters: readonly Tensor[]): ParameterCopies {
  const { offsets, length } = layOut(
    parameters.map(({ shape }) => shape),
    'f16',
  );
  const flat = e.empty([Math.max(1, length)], 'f16');
  const places = new Uint32Array(Math.ceil(vectors(values) / BLOCK_VECTORS));
  const copies = new Map<Tensor, Tensor>();
  parameters.forEach((parameter, i) => {
    const offset = offsets[i]!;
    copies.set(parameter, { ...flat, shape: parameter.shape, offset });
    const first = parameter.offset / VIEW_ALIGNMENT;
    for (let block = 0; block * BLOCK < sizeOf(parameter.shape); block++) {
      places[first + block] = offset / (4 * elementBytes('f16')) + block * BLOCK_VECTORS;
    }
  });
  const table = e.upload(places, [places.length]);
  return {
    copies,
    refresh(engine) {
      const params = { vectors: vectors(values) };
      engine.dispatch({
        file: 'half_copy',
        constants: elements({ COPIES: flat }, 4),
        tensors: [values, table, flat],
        params,
        grid: gridFor(params.vectors, 64),
      });
    },
    destroy(engine) {
      for (const tensor of [flat, table]) engine.release(tensor);
    },
  };
}
