/**
 * Modules: trees of named parameters and buffers with a forward pass, as in PyTorch, and with its state_dict names.
 *
 * A module only declares its tensors; `Network` (network.ts) gives them memory. Until then `Parameter.tensor` throws.
 */
import type { Tape } from '../autograd/tape.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';

/** How a tensor begins. `unit`: normal values scaled to Euclidean length 1. `rows`: every row has these values. */
export type Init =
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'unit' }
  | { readonly kind: 'rows'; readonly values: readonly number[] };

/** A named tensor of a module: a parameter, which is trained, or a buffer, which is not. */
export class Parameter {
  private given: Tensor | undefined;

  constructor(
    readonly shape: Shape,
    readonly init: Init,
  ) {}

  get tensor(): Tensor {
    if (!this.given) throw new Error('a module is used before a network has given its parameters memory');
    return this.given;
  }

  place(tensor: Tensor): void {
    this.given = tensor;
  }
}

export interface Named {
  readonly name: string;
  readonly parameter: Parameter;
}

export abstract class Module {
  private mode = true;
  private readonly ownParameters = new Map<string, Parameter>();
  private readonly ownBuffers = new Map<string, Parameter>();
  private readonly children = new Map<string, Module>();

  /** Whether the module is in training mode (batch statistics, dropout, power iterations). */
  get training(): boolean {
    return this.mode;
  }

  train(mode = true): this {
    this.mode = mode;
    for (const child of this.children.values()) child.train(mode);
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Parameters by state_dict name, in PyTorch's order: a module's own first, then its children's. */
  *parameters(prefix = ''): Generator<Named> {
    for (const [name, parameter] of this.ownParameters) yield { name: prefix + name, parameter };
    for (const [name, child] of this.children) yield* child.parameters(`${prefix}${name}.`);
  }

  /** Buffers by state_dict name, in the same order. */
  *buffers(prefix = ''): Generator<Named> {
    for (const [name, parameter] of this.ownBuffers) yield { name: prefix + name, parameter };
    for (const [name, child] of this.children) yield* child.buffers(`${prefix}${name}.`);
  }

  /** All of both, in the order of a state_dict: a module's parameters, its buffers, then its children. */
  *state(prefix = ''): Generator<Named> {
    for (const [name, parameter] of [...this.ownParameters, ...this.ownBuffers])
      yield { name: prefix + name, parameter };
    for (const [name, child] of this.children) yield* child.state(`${prefix}${name}.`);
  }

  /** The module itself and all below it, in the order of the state_dict. */
  *modules(): Generator<Module> {
    yield this;
    for (const child of this.children.values()) yield* child.modules();
  }

  protected parameter(name: string, shape: Shape, init: Init): Parameter {
    const parameter = new Parameter(shape, init);
    this.ownParameters.set(name, parameter);
    return parameter;
  }

  protected buffer(name: string, shape: Shape, init: Init): Parameter {
    const buffer = new Parameter(shape, init);
    this.ownBuffers.set(name, buffer);
    return buffer;
  }

  protected child<M extends Module>(name: string, module: M): M {
    this.children.set(name, module);
    return module;
  }
}

/** Number of trained values. Takes no memory: the module may be without any. */
export const countParameters = (module: Module): number =>
  [...module.parameters()].reduce((count, { parameter }) => count + sizeOf(parameter.shape), 0);

/** A module of one input and one output. */
export abstract class Layer extends Module {
  abstract forward(tape: Tape, x: Tensor): Tensor;
}
