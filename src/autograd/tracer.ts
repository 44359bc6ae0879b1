/** A tape that writes down which op is applied to what, and computes nothing: its tensors have shapes only. */

import type { Engine } from '../kernel/engine.js';
import type { DType, Shape, Storage, Tensor } from '../memory/tensor.js';
import type { Op } from '../ops/define.js';
import { Tape } from './tape.js';

type Inputs = readonly (Tensor | undefined)[];

/** One use of an op: what went in, and a tensor without values for what came out. */
export interface Call {
  readonly inputs: Inputs;
  readonly y: Tensor;
}

/** An op applied: to one set of inputs, but for `applyEach`. */
export interface Step {
  readonly op: Op;
  readonly attrs: object;
  readonly calls: readonly Call[];
}

/** Stands for what does not exist: whoever asks it for anything is told. */
const nothing: object = new Proxy(
  {},
  {
    get() {
      throw new Error('a forward pass that is traced may be made of ops only');
    },
  },
);

const NOWHERE: Storage = {
  id: -1,
  buffer: nothing as GPUBuffer,
  bytes: 0,
  planned: false,
  used: 0,
  generation: 0,
  free: false,
};

/** A tensor without values. */
export const shapeOnly = (shape: Shape, dtype: DType = 'f32'): Tensor => ({
  shape,
  dtype,
  storage: NOWHERE,
  offset: 0,
});

export class Tracer extends Tape {
  /** In their order. */
  readonly steps: Step[] = [];

  constructor() {
    super(nothing as Engine);
  }

  override apply<A extends object, I extends Inputs>(op: Op<A, I>, inputs: I, attrs: A): Tensor {
    return this.applyEach(op, [inputs], attrs)[0]!;
  }

  override applyEach<A extends object, I extends Inputs>(op: Op<A, I>, sets: readonly I[], attrs: A): Tensor[] {
    const calls = sets.map((inputs) => {
      const shapes = inputs.map((input) => input?.shape);
      return { inputs, y: shapeOnly(op.shape(shapes, attrs)) };
    });
    // The record's types tie attrs and inputs to the op; a list of steps of many ops cannot say so.
    this.steps.push({ op: op as unknown as Op, attrs, calls });
    return calls.map(({ y }) => y);
  }
}
