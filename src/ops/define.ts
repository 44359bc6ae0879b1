/**
 * What an op is. One record says everything about it; the tests against the float64 oracle, the gradient check, the
 * determinism test, the compile test, the benchmarks and the command line's `verify` all come from that record.
 */
import type { Engine } from '../kernel/engine.js';
import { formatShape, type Shape, type Tensor } from '../memory/tensor.js';
import type { Array64 } from '../reference/array.js';

/** Shapes of the inputs in their order; undefined where an optional input is not given. */
export type InputShapes = readonly (Shape | undefined)[];

/** What backward finds again: the tensors that `saves` lists, by name. */
export type Saved = Readonly<Record<string, Tensor>>;

/** Allocates where the gradient of one input goes; undefined for an input whose gradient nobody wants. */
export type Want = (() => Tensor) | undefined;

/** How test data for an input are drawn. Without one: normal values. */
export type Fill = 'positive' | 'nonzero' | 'unit' | { readonly below: number };

/** One set of shapes and attributes to test or to time. */
export interface Case<A> {
  readonly shapes: InputShapes;
  readonly attrs: A;
  readonly fill?: Readonly<Record<string, Fill>>;
}

type Inputs = readonly (Tensor | undefined)[];

/** What forward gives: the result `y`, and what backward may want besides. */
export type Forward = { readonly y: Tensor; readonly [extra: string]: Tensor };

export interface Op<A extends object = object, I extends Inputs = Inputs> {
  /** The field's standard name, as PyTorch's functional form or the reference cases have it. */
  readonly name: string;
  /** One line with layouts. */
  readonly summary: string;
  /** Names of the inputs in their order; a trailing `?` marks an optional one. */
  readonly inputs: readonly string[];
  /** Name of the result in reference cases. */
  readonly output: string;
  /** Inputs that forward overwrites in place: running statistics. */
  readonly updates: readonly string[];
  /**
   * For mixed precision: the inputs that may be stored in f16, and what their gradients are stored in then. Sums of many
   * terms, such as a weight's gradient, go to f32. Where the op has such inputs, its result is in f16 if they are, or in f32
   * if it is itself a sum of many terms.
   */
  readonly half: Readonly<Record<string, 'f16' | 'f32'>>;
  /** True if the result shares its memory with the first input. */
  readonly view: boolean;
  /** Shape of the result. Throws an error that names the argument and the shapes if they do not fit. */
  shape(inputs: InputShapes, attrs: A): Shape;
  /** Runs the kernels. `shape` is what `shape` gave. The result is `y`; other entries are what backward may want. */
  forward(e: Engine, inputs: I, attrs: A, shape: Shape): Forward;
  /** What is kept for backward: names of inputs, of `y`, of extras. Nothing else is. */
  readonly saves: readonly string[];
  /**
   * Gradients of the inputs from the gradient of the result, in the order of the inputs; computed only where wanted.
   * A binary op may give a gradient of the broadcast shape: the tape sums it down. `spare`: gy is nobody else's, so that it
   * may be overwritten, and handed on as a gradient. Missing for ops without gradient.
   */
  backward?(
    e: Engine,
    saved: Saved,
    gy: Tensor,
    attrs: A,
    want: readonly Want[],
    spare?: boolean,
  ): readonly (Tensor | undefined)[];
  /**
   * Forward and backward for several sets of inputs at once, in fewer dispatches than one by one (`Tape.applyEach`). All
   * that they want of gradients is that of the same inputs.
   */
  forwardEach?(e: Engine, inputs: readonly I[], attrs: A): readonly Forward[];
  backwardEach?(
    e: Engine,
    saved: readonly Saved[],
    gys: readonly Tensor[],
    attrs: A,
    wants: readonly (readonly Want[])[],
  ): readonly (readonly (Tensor | undefined)[])[];
  /** The float64 oracle: outputs by name. */
  reference(inputs: readonly (Array64 | undefined)[], attrs: A): Readonly<Record<string, Array64>>;
  /** The oracle whose differences the gradient is checked with, where it is not `reference` itself. */
  readonly differenced?: (inputs: readonly (Array64 | undefined)[], attrs: A) => Readonly<Record<string, Array64>>;
  /** Floating-point operations of the forward pass. */
  flops(inputs: InputShapes, attrs: A, shape: Shape): number;
  /** Shapes to test: awkward ones too (1, primes, not multiples of 4). */
  readonly cases: readonly Case<A>[];
  /** Shapes to time. */
  readonly bench: readonly Case<A>[];
  /** Greatest error against the oracle, relative to the largest value. */
  readonly tolerance: { readonly forward: number; readonly gradient: number };
}

type Optional = 'output' | 'updates' | 'half' | 'view' | 'saves' | 'bench' | 'tolerance';

export type OpDefinition<A extends object, I extends Inputs> = Omit<Op<A, I>, Optional> &
  Partial<Pick<Op<A, I>, Optional>>;

/** Fills in what an op leaves to the defaults. */
export function defineOp<A extends object, I extends Inputs>(definition: OpDefinition<A, I>): Op<A, I> {
  return {
    output: 'y',
    updates: [],
    half: {},
    view: false,
    saves: [],
    bench: [],
    tolerance: { forward: 1e-5, gradient: 1e-3 },
    ...definition,
  };
}

/** An error that says which op, which argument, and what the shapes were. */
export function shapeError(op: string, argument: string, what: string, ...shapes: (Shape | undefined)[]): Error {
  const given = shapes.map((shape) => (shape ? formatShape(shape) : 'none')).join(' and ');
  return new Error(`${op}: ${argument} ${what}; the shapes are ${given}`);
}

/** The dimension that `dim` names: negative ones count back from the end, as PyTorch's. Throws unless x has it. */
export function dimOf(op: string, dim: number, x: Shape): number {
  const counted = dim < 0 ? dim + x.length : dim;
  if (Number.isInteger(counted) && counted in x) return counted;
  throw shapeError(op, `dim ${dim}`, `must be one of the ${x.length} dimensions of x`, x);
}

/** Whether `value` is a whole number of at least `least`. */
export const isCount = (value: unknown, least: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least;

/** Throws unless an attribute is a pair [height, width] of whole numbers of at least `least`. */
export function checkPair(op: string, name: string, pair: unknown, least: number, x: Shape): void {
  if (Array.isArray(pair) && pair.length === 2 && pair.every((value) => isCount(value, least))) return;
  throw shapeError(op, `${name} ${JSON.stringify(pair)}`, `must be two whole numbers of at least ${least}`, x);
}

/** The shape of a required input of the given rank. */
export function ranked(op: string, argument: string, shape: Shape | undefined, rank: number): Shape {
  if (!shape || shape.length !== rank) throw shapeError(op, argument, `must have ${rank} dimensions`, shape);
  return shape;
}

/** Name of an input without its mark of being optional. */
export const inputName = (name: string): string => name.replace(/\?$/, '');

/** The inputs that forward overwrites in place, by name; without optional ones that are not given. */
export const updatedInputs = (op: Pick<Op, 'inputs' | 'updates'>, inputs: Inputs): [string, Tensor][] =>
  op.inputs.flatMap((input, i): [string, Tensor][] => {
    const [name, tensor] = [inputName(input), inputs[i]];
    return tensor && op.updates.includes(name) ? [[name, tensor]] : [];
  });
