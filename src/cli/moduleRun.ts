/** Modules by themselves, as `verify` and `gradcheck` run them: what each is given, how it is called, and what came of it. */
import type { HalfCopies } from '../autograd/halves.js';
import { Gradients, Tape } from '../autograd/tape.js';
import type { Engine } from '../kernel/engine.js';
import type { Shape, Tensor } from '../memory/tensor.js';
import type { Discriminator } from '../models/discriminator.js';
import type { Generator } from '../models/generator.js';
import type { Layer, Module } from '../nn/module.js';

export interface ModuleCall<M extends Module> {
  /** Names of the data inputs. */
  readonly data: readonly string[];
  /** Results by name. */
  forward(tape: Tape, module: M, inputs: readonly Tensor[]): Readonly<Record<string, Tensor>>;
}

/** A layer whose result has that name. */
export const layerCall = (result: string): ModuleCall<Layer> => ({
  data: ['x'],
  forward: (tape, module, [x]) => ({ [result]: module.forward(tape, x!) }),
});

export const generatorCall: ModuleCall<Generator> = {
  data: ['z', 'labels'],
  forward: (tape, module, [z, labels]) => ({ image: module.forward(tape, z!, labels!) }),
};

export const discriminatorCall: ModuleCall<Discriminator> = {
  data: ['x'],
  forward: (tape, module, [x]) => ({ ...module.forward(tape, x!) }),
};

export interface ModuleRun {
  /** Results by name. */
  readonly outputs: ReadonlyMap<string, Float32Array>;
  /** By name, after the call. */
  readonly buffers: ReadonlyMap<string, Float32Array>;
  /** Of all parameters and float inputs by name; undefined where none arrived. */
  readonly gradients: ReadonlyMap<string, Float32Array | undefined>;
}

/**
 * Runs a module that has its memory, in its mode, forward and back. `cotangent` gives d(loss)/d(result) of a result's name and
 * shape, or undefined if nothing depends on it. `halves`: in mixed precision, with these copies of its parameters.
 */
export async function runModule<M extends Module>(
  e: Engine,
  module: M,
  { data, forward }: ModuleCall<M>,
  inputs: readonly Tensor[],
  cotangent: (name: string, shape: Shape) => Tensor | undefined,
  halves?: HalfCopies,
): Promise<ModuleRun> {
  const tracked = new Map([...module.parameters()].map(({ name, parameter }) => [name, parameter.tensor]));
  inputs.forEach((input, i) => {
    if (input.dtype === 'f32') tracked.set(data[i]!, input);
  });
  const targets = new Gradients(tracked.values());
  const tape = new Tape(e, targets, { halves });
  const results = Object.entries(forward(tape, module, inputs));
  const losses = results.flatMap(([name, result]): [Tensor, Tensor][] => {
    const gy = cotangent(name, result.shape);
    return gy ? [[result, gy]] : [];
  });
  tape.backwardAll(
    losses,
    results.map(([, result]) => result),
  );
  const outputs = new Map<string, Float32Array>();
  for (const [name, result] of results) outputs.set(name, await e.read(result));
  const buffers = new Map<string, Float32Array>();
  for (const { name, parameter } of module.buffers()) buffers.set(name, await e.read(parameter.tensor));
  const gradients = new Map<string, Float32Array | undefined>();
  for (const [name, tensor] of tracked) {
    const gradient = targets.of(tensor);
    gradients.set(name, gradient && (await e.read(gradient)));
  }
  return { outputs, buffers, gradients };
}
