/** Mixed precision, input by input: what of an op is stored in f16 (Micikevicius et al. 2018, "Mixed precision training"). */
import type { Tensor } from '../memory/tensor.js';
import { cast } from '../ops/cast.js';
import { inputName, type Op } from '../ops/define.js';

/** Copies in f16 of parameters that are stored in f32, which somebody keeps up to date. */
export type HalfCopies = ReadonlyMap<Tensor, Tensor>;

type Inputs = readonly (Tensor | undefined)[];

/** Types only: an op's record ties its inputs to its attributes, of which nothing is asked here. */
type AnyOp = Pick<Op, 'name' | 'inputs' | 'half'>;

/** What an input's gradient is stored in, if the input itself is in f16; undefined for one that the op takes in f32 only. */
const gradientInHalf = (op: AnyOp, i: number): 'f32' | 'f16' | undefined => op.half[inputName(op.inputs[i]!)];

/** What an input has to be cast to before the op can have it; undefined if the op can have it, or its copy, as it is. */
export function castFor(
  op: AnyOp,
  i: number,
  input: Tensor,
  halves: HalfCopies | undefined,
): 'f32' | 'f16' | undefined {
  if (op.name === cast.name) return undefined;
  const takesHalf = gradientInHalf(op, i) !== undefined;
  if (input.dtype === 'f16') return takesHalf ? undefined : 'f32';
  return input.dtype === 'f32' && takesHalf && halves && !halves.has(input) ? 'f16' : undefined;
}

/** What the op gets: copies of those parameters that it takes in f16. */
export function givenTo<I extends Inputs>(op: AnyOp, inputs: I, halves: HalfCopies | undefined): I {
  if (!halves || halves.size === 0) return inputs;
  return sameTuple<I>(inputs.map((input, i) => (input && gradientInHalf(op, i) && halves.get(input)) || input));
}

/** What the gradient of an input is to be stored in. Of parameters it is f32, for they are stored so themselves. */
export const gradientDtype = (op: AnyOp, i: number, input: Tensor): 'f32' | 'f16' =>
  (input.dtype === 'f16' && gradientInHalf(op, i)) || 'f32';

/** As many inputs as there were, in their order, which the type of a mapped tuple does not say. */
export const sameTuple = <I extends Inputs>(inputs: Inputs): I => inputs as unknown as I;
