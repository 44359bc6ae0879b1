/** Gradient checks of whole modules (moduleCases.ts): results, gradients by finite differences, and equal bits twice. */
import { type CheckResult, compare, largest, sampledDifferences, type Worst, worse } from '../autograd/check.js';
import type { HalfCopies } from '../autograd/halves.js';
import { evaluate } from '../autograd/steps.js';
import { Tape } from '../autograd/tape.js';
import { shapeOnly, Tracer } from '../autograd/tracer.js';
import type { Engine } from '../kernel/engine.js';
import { type Shape, sizeOf } from '../memory/tensor.js';
import type { Module } from '../nn/module.js';
import { Network, type State } from '../nn/network.js';
import { standingStatistics } from '../nn/standing.js';
import { type Array64, make } from '../reference/index.js';
import { normal } from '../reference/random.js';
import type { Check } from './check.js';
import { CLASSIFIERS, MODULES, type ModuleCase, type ModuleOracle } from './moduleCases.js';
import { type ModuleRun, runModule } from './moduleRun.js';

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
  const tensors = test.inputs.map((input, i) => shapeOnly(inputs[i]!.shape, 'labels' in input ? 'i32' : 'f32'));
  const traces = new Map(
    [true, false].map((training) => {
      const tracer = new Tracer();
      const results = Object.entries(test.call.forward(tracer, module.train(training), tensors));
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

/** d(loss)/d(result) of the i-th result. */
const cotangent = (i: number, shape: Shape): Float64Array => normal(4, i, sizeOf(shape)).map(Math.fround);

/** Runs a case twice and compares it with its oracle; with `half` in mixed precision, and its gradients with those in f32. */
export async function checkModule(e: Engine, test: ModuleCase<Module>, half: boolean): Promise<CheckResult> {
  const inputs = test.inputs.map((input, i) =>
    'labels' in input
      ? make([input.labels.length], input.labels)
      : make([...input.shape], normal(3, i, sizeOf(input.shape)).map(Math.fround)),
  );
  const tensors = inputs.map(({ data, shape }, i) =>
    e.upload('labels' in test.inputs[i]! ? Int32Array.from(data) : Float32Array.from(data), shape),
  );
  const module = test.make();
  const network = new Network(e, module, 1, { half });
  if (test.inEvaluation) standingStatistics(module, 1, () => test.call.forward(new Tape(e), module, tensors));
  const before = await network.state();
  const run = (halves: HalfCopies | undefined): Promise<ModuleRun> => {
    network.load(before);
    let i = 0;
    return runModule(
      e,
      module.train(!test.inEvaluation),
      test.call,
      tensors,
      (_name, shape) => e.upload(Float32Array.from(cotangent(i++, shape)), shape),
      halves,
    );
  };
  const first = await run(network.copies);
  const second = await run(network.copies);
  const single = half ? await run(undefined) : undefined;
  network.destroy();

  const oracle = test.oracle ?? opByOp(test, module, inputs);
  const actual = new Map([
    ...first.outputs,
    ...[...first.buffers].map(([name, values]) => [`after.${name}`, values] as const),
  ]);
  let forward: Worst = { error: 0, where: '' };
  for (const [name, { data, shape }] of Object.entries(oracle(inputs, widen(before), !test.inEvaluation))) {
    forward = worse(forward, compare(name, actual.get(name) ?? [], data, shape, 1e-3));
  }
  const byDifferences = gradientError(test, oracle, inputs, before, first);
  const gradient = single ? worse(byDifferences, gradientDifference(first, single)) : byDifferences;
  return { forward, gradient, deterministic: same(first, second) };
}

const NOTHING = new Float32Array();

const largestOf = ({ gradients }: ModuleRun): number =>
  Math.max(...[...gradients.values()].map((values = NOTHING) => largest(values)));

/** How far all gradients are from those in f32. */
function gradientDifference(run: ModuleRun, single: ModuleRun): Worst {
  const floor = 1e-3 * largestOf(single);
  let worst: Worst = { error: 0, where: '' };
  for (const [name, expected = NOTHING] of single.gradients) {
    const title = `d/d${name} against that in f32: `;
    worst = worse(worst, compare(title, run.gradients.get(name) ?? NOTHING, expected, [expected.length], floor));
  }
  return worst;
}

const widen = (state: State): Record<string, Array64> =>
  Object.fromEntries([...state].map(([name, { shape, data }]) => [name, make(shape, data)]));

/** Gradients against differences of the oracle; one that did not arrive is an infinite error. */
function gradientError(
  test: ModuleCase<Module>,
  oracle: ModuleOracle,
  inputs: readonly Array64[],
  before: State,
  run: ModuleRun,
): Worst {
  const state = widen(before);
  if (test.differenceInEvaluation) {
    for (const [name, values] of run.buffers) state[name] = make(state[name]!.shape, values);
  }
  const named = { ...state, ...Object.fromEntries(test.call.data.map((name, i) => [name, inputs[i]!])) };
  const loss = (): number => {
    const outputs = oracle(inputs, state, !test.differenceInEvaluation && !test.inEvaluation);
    return [...run.outputs.keys()].reduce((total, name, i) => {
      const { data, shape } = outputs[name]!;
      const weights = cotangent(i, shape);
      return total + data.reduce((sum, value, j) => sum + value * weights[j]!, 0);
    }, 0);
  };
  const floor = 1e-3 * largestOf(run);
  const missing = [...run.gradients].find(([, gradient]) => !gradient);
  if (missing) return { error: Number.POSITIVE_INFINITY, where: `d/d${missing[0]} is missing` };
  let worst: Worst = { error: 0, where: '' };
  for (const [name, gradient = NOTHING] of evenly([...run.gradients], test.differenced)) {
    const { elements, values } = sampledDifferences(loss, named[name]!, DIFFERENCES);
    const actual = elements.map((at) => gradient[at]!);
    // Relative to the largest gradient of the whole tensor, of which only some elements are differenced.
    const scale = Math.max(floor, largest(gradient));
    worst = worse(worst, compare(`d/d${name} (elements ${elements})`, actual, values, [elements.length], scale));
  }
  return worst;
}

/** So many of them, from the first to the last. */
const evenly = <T>(all: readonly T[], count = all.length): T[] =>
  all.filter((_, i) => Math.floor(((i + 1) * count) / all.length) > Math.floor((i * count) / all.length));

function same(a: ModuleRun, b: ModuleRun): boolean {
  const pairs = (['outputs', 'buffers', 'gradients'] as const).flatMap((part) =>
    [...a[part]].map(([name, values = NOTHING]) => [values, b[part].get(name) ?? NOTHING] as const),
  );
  return pairs.every(([left, right]) => left.every((value, i) => Object.is(value, right[i])));
}
