/**
 * Why a module does not give a case's results: one of its operations is wrong, or it is made of others than the case's, or
 * rounding decides. A deep network in training mode can turn half a bit of its inputs into any error; then no kernel in float32,
 * however good, could pass, and the error alone says nothing.
 */
import { compareSteps, evaluate, type StepError } from '../../autograd/steps.js';
import { Tracer } from '../../autograd/tracer.js';
import type { Engine } from '../../kernel/engine.js';
import type { Tensor } from '../../memory/tensor.js';
import { type Array64, fromFloat32, make } from '../../reference/array.js';
import { uniform } from '../../reference/random.js';
import { type ReferenceCase, required } from './cases.js';
import { type ModuleUnderTest, placed } from './modules.js';

/** By how much rounding may move a value: to float32 by half an ulp; in float64 the least that can be, an ulp or two. */
const ROUNDING = { float32: 2 ** -24, float64: 2 ** -52 } as const;

export type Precision = keyof typeof ROUNDING;

type Outputs = ReadonlyMap<string, Array64>;

export interface Diagnosis {
  /** Errors of the operations one by one on the GPU, each given what the one before it gave. */
  readonly steps: readonly StepError[];
  /** The results in float64. */
  readonly exact: Outputs;
  /**
   * The same in programs that round every number that they store, inputs and parameters too, to that precision, each in another
   * way: one for each of a few draws.
   */
  rounded(precision: Precision): Iterable<Outputs>;
}

const DRAWS = 8;

/** Examines the forward pass of a module's case: it costs some passes on the CPU. */
export async function diagnose(e: Engine, test: ReferenceCase, wanted: ModuleUnderTest): Promise<Diagnosis> {
  const { network, inputs } = placed(e, test, wanted);
  const tracer = new Tracer();
  const named = new Map(Object.entries(wanted.call.forward(tracer, wanted.module, inputs)));
  for (const { name, parameter } of network.module.buffers()) named.set(`after.${name}`, parameter.tensor);
  const results = [...named].filter(([name]) => test.outputs.has(name));
  const given = new Map(
    wanted.call.data.map((name, i) => [inputs[i]!, fromFloat32(inputs[i]!.shape, required(test.inputs, name).data)]),
  );
  for (const { name, parameter } of network.module.state()) {
    given.set(parameter.tensor, fromFloat32(parameter.shape, wanted.state.get(name)!.data));
  }
  const outputs = (stored?: Stored): Outputs => {
    const after = evaluate(tracer.steps, given, stored);
    return new Map(results.map(([name, tensor]) => [name, after.get(tensor)!]));
  };
  const steps = await compareSteps(e, tracer.steps, given);
  network.destroy();
  return {
    steps,
    exact: outputs(),
    *rounded(precision) {
      for (let draw = 1; draw <= DRAWS; draw++) yield outputs(roundedOtherwise(ROUNDING[precision], draw));
    },
  };
}

type Stored = (tensor: Tensor, value: Array64) => Array64;

/** Each value but whole numbers of labels times 1 + d or 1 - d. */
function roundedOtherwise(d: number, seed: number): Stored {
  let stream = 0;
  return (tensor, value) => {
    if (tensor.dtype !== 'f32') return value;
    const draws = uniform(seed, stream++, value.data.length);
    return make(
      value.shape,
      value.data.map((number, i) => number * (draws[i]! < 0.5 ? 1 - d : 1 + d)),
    );
  };
}
