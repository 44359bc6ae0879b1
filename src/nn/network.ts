/**
 * A network: a module with memory. All its parameters lie in one buffer, all gradients in a second, all running
 * statistics in a third, so that an optimiser step, an EMA update or a norm is one dispatch over a flat tensor.
 */
import type { HalfCopies } from '../autograd/halves.js';
import { Gradients } from '../autograd/tape.js';
import type { Engine } from '../kernel/engine.js';
import { formatShape, layOut, type Shape, sameShape, sizeOf, type Tensor } from '../memory/tensor.js';
import { fill } from '../ops/elementwise.js';
import { normal, uniform } from '../reference/random.js';
import { createCopies, type ParameterCopies } from './halfCopies.js';
import { countParameters, type Init, type Module, type Named } from './module.js';

/** Values of a state_dict by name. */
export type State = ReadonlyMap<string, { readonly shape: Shape; readonly data: Float32Array }>;

export interface NetworkOptions {
  /** Keeps networks of one seed apart. Default 0. */
  readonly stream?: number;
  /** Whether there are copies of the parameters in f16, for mixed precision. Default false. */
  readonly half?: boolean;
  /** Whether it has memory for gradients. Default true; without, tapes record nothing for it. */
  readonly trained?: boolean;
}

export class Network<M extends Module> {
  /** Parameters, flat: padded between tensors, the padding zero. */
  readonly values: Tensor;
  /** Their gradients, in the same places; of a network that is not trained, nothing. */
  readonly gradients: Tensor;
  /** Running statistics and power iterations, flat. */
  readonly statistics: Tensor;
  /** What a tape records gradients into. */
  readonly targets: Gradients;
  /** Number of trained values. */
  readonly parameterCount: number;
  private readonly half: ParameterCopies | undefined;

  /**
   * Gives `module` memory and its initial values: drawn on the CPU from `seed`, so the same on every adapter.
   */
  constructor(
    private readonly engine: Engine,
    readonly module: M,
    seed: number,
    { stream = 0, half = false, trained = true }: NetworkOptions = {},
  ) {
    const parameters = [...module.parameters()];
    const places = new Map<Tensor, Tensor>();
    const { offsets, length } = layOut(shapesOf(parameters));
    this.values = zeros(engine, length);
    this.gradients = zeros(engine, trained ? length : 0);
    for (const [i, { parameter }] of parameters.entries()) {
      const tensor = view(this.values, parameter.shape, offsets[i]!);
      parameter.place(tensor);
      if (trained) places.set(tensor, view(this.gradients, parameter.shape, offsets[i]!));
    }
    const buffers = byLastName([...module.buffers()]);
    const bufferViews = layOut(shapesOf(buffers));
    this.statistics = zeros(engine, bufferViews.length);
    for (const [i, { parameter }] of buffers.entries()) {
      parameter.place(view(this.statistics, parameter.shape, bufferViews.offsets[i]!));
    }
    this.targets = new Gradients(places.keys(), (tensor) => places.get(tensor)!);
    this.parameterCount = countParameters(module);
    const state = [...module.state()];
    state.forEach(({ parameter }, i) => {
      engine.write(parameter.tensor, initial(parameter.shape, parameter.init, seed, stream * 65536 + i));
    });
    this.half = half
      ? createCopies(
          engine,
          this.values,
          parameters.map(({ parameter }) => parameter.tensor),
        )
      : undefined;
    this.refreshCopies();
  }

  /** The parameters in f16, if the network has them so too: what a tape in mixed precision computes with. */
  get copies(): HalfCopies | undefined {
    return this.half?.copies;
  }

  /** Makes the copies anew: whoever changes parameters, such as an optimiser, calls it afterwards. One dispatch. */
  refreshCopies(): void {
    this.half?.refresh(this.engine);
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    this.targets.clear();
  }

  /** Reads all parameters and buffers back. */
  async state(): Promise<State> {
    const [values, statistics] = [await this.engine.read(this.values), await this.engine.read(this.statistics)];
    const named = [...this.module.state()].map(({ name, parameter }) => {
      const { shape, tensor } = parameter;
      const flat = tensor.storage === this.values.storage ? values : statistics;
      return [name, { shape, data: flat.slice(tensor.offset / 4, tensor.offset / 4 + sizeOf(shape)) }] as const;
    });
    return new Map(named);
  }

  /** Overwrites all parameters and buffers. Throws an error that names what is missing, unknown or of another shape. */
  load(state: State): void {
    const own = [...this.module.state()];
    const names = new Set(own.map(({ name }) => name));
    for (const name of state.keys()) if (!names.has(name)) throw new Error(`the network has no tensor named ${name}`);
    for (const { name, parameter } of own) {
      const entry = state.get(name);
      if (!entry) throw new Error(`the tensor ${name} of the network is missing`);
      if (!sameShape(entry.shape, parameter.shape)) {
        throw new Error(
          `the tensor ${name} has the shape ${formatShape(entry.shape)}, the network's has ${formatShape(parameter.shape)}`,
        );
      }
    }
    for (const { name, parameter } of own) this.engine.write(parameter.tensor, state.get(name)!.data);
    this.refreshCopies();
  }

  /** Gives the memory back. The module must not be used afterwards. */
  destroy(): void {
    for (const tensor of [this.values, this.gradients, this.statistics]) this.engine.release(tensor);
    this.half?.destroy(this.engine);
  }
}

const shapesOf = (tensors: readonly Named[]): Shape[] => tensors.map(({ parameter }) => parameter.shape);

/** Tensors of one kind together: so a kernel can bind all u of the spectral norms as one range, and all v as another. */
function byLastName(tensors: readonly Named[]): Named[] {
  const kind = ({ name }: Named): string => name.slice(name.lastIndexOf('.') + 1);
  const kinds = [...new Set(tensors.map(kind))];
  return kinds.flatMap((wanted) => tensors.filter((tensor) => kind(tensor) === wanted));
}

/** At least one element, for networks without buffers. */
const zeros = (e: Engine, length: number): Tensor => fill(e, e.empty([Math.max(1, length)]), 0);

const view = (flat: Tensor, shape: Shape, offset: number): Tensor => ({ ...flat, shape, offset });

function initial(shape: Shape, init: Init, seed: number, stream: number): Float32Array {
  const count = sizeOf(shape);
  switch (init.kind) {
    case 'constant':
      return new Float32Array(count).fill(init.value);
    case 'rows':
      return Float32Array.from({ length: count }, (_, i) => init.values[i % init.values.length]!);
    case 'uniform':
      return drawn(count, uniform, seed, stream, (u) => (2 * u - 1) * init.bound);
    case 'normal':
      return drawn(count, normal, seed, stream, (z) => z * init.deviation);
    case 'unit': {
      const values = normal(seed, stream, count);
      const length = Math.sqrt(values.reduce((sum, z) => sum + z * z, 0));
      return Float32Array.from(values, (z) => z / length);
    }
  }
}

/** Values drawn at a time: a layer may have a hundred million, and float64 takes twice the room. */
const PORTION = 2 ** 16;

function drawn(
  count: number,
  draw: typeof normal,
  seed: number,
  stream: number,
  value: (number: number) => number,
): Float32Array {
  const values = new Float32Array(count);
  for (let first = 0; first < count; first += PORTION) {
    const numbers = draw(seed, stream, Math.min(PORTION, count - first), first);
    for (let i = 0; i < numbers.length; i++) values[first + i] = value(numbers[i]!);
  }
  return values;
}
