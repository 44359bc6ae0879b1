/** Gradient checks of whole modules (moduleCases.ts): results, gradients by finite differences, and equal bits twice. */
import { compare, largest, sampledDifferences, type Worst, worse } from '../autograd/check.js';
import type { HalfCopies } from '../autograd/halves.js';
import { evaluate } from '../autograd/steps.js';
import { Gradients, Tape } from '../autograd/tape.js';
import { shapeOnly, Tracer } from '../autograd/tracer.js';
import type { Engine } from '../kernel/engine.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import type { Module } from '../nn/module.js';
import { Network, type State } from '../nn/network.js';
import { standingStatistics } from '../nn/standing.js';
import { type Array64, make } from '../reference/index.js';
import { normal } from '../reference/random.js';
import type { Check } from './check.js';
import { CLASSIFIERS, MODULES, type ModuleCase, type ModuleOracle } from './moduleCases.js';

/** In mixed precision with `half`: then the gradients of all parameters are compared with those in f32, too. */
export function moduleChecks(half: boolean): readonly Check[] {
  const all = half ? MODULES : [...MODULES, ...CLASSIFIERS];
  return [...new Set(all.map(({ name }) => name))].map((wanted) => {
    const tests = all.filter(({ name }) => name === wanted);
    const inHalf = { forward: 1e-2, gradient: tests[0]!.halfGradient ?? 2e-2 };
    return {
      name: wanted,
      tolerance: half ? inHalf : { forward: tests[0]!.forward ?? 1e-4, gradient: 5e-3 },
      cases: tests.map((test) => ({
        title: `${wanted} ${test.title}`,
        run: (e) => checkModule(e, test, half),
      })),
    };
  });
}

/** Differences are taken of so many elements of each tensor. */
const DIFFERENCES = 4;

/** The module's own ops, each by its reference: it says nothing of whether they are put together as they should be. */
function opByOp(test: ModuleCase<Module>, module: Module, inputs: readonly Array64[]): ModuleOracle {
  const tensors = Object.values(test.inputs).map((input, i) =>
    shapeOnly(inputs[i]!.shape, 'labels' in input ? 'i32' : 'f32'),
  );
  const traces = new Map(
    [true, false].map((training) => {
      const tracer = new Tracer();
      const results = Object.entries(test.call(tracer, module.train(training), tensors));
      return [training, { steps: tracer.steps, results }];
    }),
  );
  return (given, state, training) => {
    const { steps, results } = traces.get(training)!;
    const known = [...module.state()].map(({ name, parameter }) => [parameter.tensor, state[name]!] as const);
    const values = evaluate(steps, new Map([...known, ...tensors.map((tensor, i) => [tensor, given[i]!] as const)]));
    const after = [...module.buffers()].map(({ name, parameter }) => [`after.${name}`, parameter.tensor] as const);
    return Object.fromEntries([...results, ...after].map(([name, tensor]) => [name, values.get(tensor)!]));
  };
}

interface Run {
  readonly outputs: ReadonlyMap<string, Float32Array>;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly after: State;
}

async function checkModule(e: Engine, test: ModuleCase<Module>, half: boolean) {
  const inputs = Object.values(test.inputs).map((input, i) =>
    'labels' in input
      ? make([input.labels.length], input.labels)
      : make([...input.shape], normal(3, i, sizeOf(input.shape)).map(Math.fround)),
  );
  const network = new Network(e, test.make(), 1, { half });
  if (test.inEvaluation) {
    const tensors = uploaded(e, test, inputs);
    standingStatistics(network.module, 1, () => test.call(new Tape(e), network.module, tensors));
  }
  const before = await network.state();
  const first = await runModule(e, test, network, inputs, network.copies);
  network.load(before);
  const second = await runModule(e, test, network, inputs, network.copies);
  network.load(before);
  const single = half ? await runModule(e, test, network, inputs, undefined) : undefined;
  network.destroy();

  const oracle = test.oracle ?? opByOp(test, network.module, inputs);
  const expected = oracle(inputs, widen(before), !test.inEvaluation);
  let forward: Worst = { error: 0, where: '' };
  for (const [name, { data, shape }] of Object.entries(expected)) {
    const actual = first.outputs.get(name) ?? first.after.get(name.replace('after.', ''))?.data ?? new Float32Array();
    forward = worse(forward, compare(name, actual, data, shape, 1e-3));
  }
  const byDifferences = gradientError(test, oracle, inputs, before, first);
  const gradient = single ? worse(byDifferences, gradientDifference(first, single)) : byDifferences;
  return { forward, gradient, deterministic: same(first, second) };
}

/** How far all gradients are from those in f32. */
function gradientDifference(run: Run, single: Run): Worst {
  const floor = 1e-3 * Math.max(...[...single.gradients.values()].map(largest));
  let worst: Worst = { error: 0, where: '' };
  for (const [name, expected] of single.gradients) {
    const title = `d/d${name} against that in f32: `;
    worst = worse(worst, compare(title, run.gradients.get(name)!, expected, [expected.length], floor));
  }
  return worst;
}

const widen = (state: State): Record<string, Array64> =>
  Object.fromEntries([...state].map(([name, { shape, data }]) => [name, make(shape, data)]));

const uploaded = (e: Engine, test: ModuleCase<Module>, inputs: readonly Array64[]): Tensor[] =>
  Object.values(test.inputs).map((input, i) => {
    const { data, shape } = inputs[i]!;
    return e.upload('labels' in input ? Int32Array.from(data) : Float32Array.from(data), shape);
  });

async function runModule(
  e: Engine,
  test: ModuleCase<Module>,
  network: Network<Module>,
  inputs: readonly Array64[],
  halves: HalfCopies | undefined,
): Promise<Run> {
  const names = Object.keys(test.inputs);
  const tensors = uploaded(e, test, inputs);
  const tracked = new Map<string, Tensor>(
    [...network.module.parameters()].map(({ name, parameter }) => [name, parameter.tensor]),
  );
  tensors.forEach((tensor, i) => {
    if (tensor.dtype === 'f32') tracked.set(names[i]!, tensor);
  });
  const gradients = new Gradients(tracked.values());
  const tape = new Tape(e, gradients, { halves });
  const results = Object.entries(test.call(tape, network.module.train(!test.inEvaluation), tensors));
  tape.backwardAll(
    results.map(([, result], i) => [result, e.upload(Float32Array.from(cotangent(i, result.shape)), result.shape)]),
  );
  const outputs = new Map<string, Float32Array>();
  for (const [name, result] of results) outputs.set(name, await e.read(result));
  const read = new Map<string, Float32Array>();
  for (const [name, tensor] of tracked) {
    const gradient = gradients.of(tensor);
    if (gradient) read.set(name, await e.read(gradient));
  }
  return { outputs, gradients: read, after: await network.state() };
}

const cotangent = (i: number, shape: Shape): Float64Array => normal(4, i, sizeOf(shape)).map(Math.fround);

function gradientError(
  test: ModuleCase<Module>,
  oracle: ModuleOracle,
  inputs: readonly Array64[],
  before: State,
  run: Run,
): Worst {
  const state = widen(test.differenceInEvaluation ? run.after : before);
  const named = { ...state, ...Object.fromEntries(Object.keys(test.inputs).map((name, i) => [name, inputs[i]!])) };
  const loss = (): number => {
    const outputs = oracle(inputs, state, !test.differenceInEvaluation && !test.inEvaluation);
    return [...run.outputs.keys()].reduce((total, name, i) => {
      const { data, shape } = outputs[name]!;
      const weights = cotangent(i, shape);
      return total + data.reduce((sum, value, j) => sum + value * weights[j]!, 0);
    }, 0);
  };
  const floor = 1e-3 * Math.max(...[...run.gradients.values()].map(largest));
  let worst: Worst = { error: 0, where: '' };
  for (const [name, gradient] of evenly([...run.gradients], test.differenced)) {
    const { elements, values } = sampledDifferences(loss, named[name]!, DIFFERENCES);
    // Relative to the largest gradient of the whole tensor, of which only some elements are differenced.
    const scale = Math.max(floor, largest(gradient));
    worst = worse(
      worst,
      compare(
        `d/d${name} (elements ${elements})`,
        elements.map((at) => gradient[at]!),
        values,
        [elements.length],
        scale,
      ),
    );
  }
  return worst;
}

/** So many of them, from the first to the last. */
const evenly = <T>(all: readonly T[], count = all.length): T[] =>
  all.filter((_, i) => Math.floor(((i + 1) * count) / all.length) > Math.floor((i * count) / all.length));

function same(a: Run, b: Run): boolean {
  const pairs = (['outputs', 'gradients'] as const).flatMap((part) =>
    [...a[part]].map(([name, values]) => [values, b[part].get(name)!] as const),
  );
  return pairs.every(([left, right]) => left.every((value, i) => Object.is(value, right[i])));
}
