/** Gradient checks of whole modules: small ones, with the weights that training begins with, in training mode. */
import { compare, largest, sampledDifferences, type Worst, worse } from '../autograd/check.js';
import type { HalfCopies } from '../autograd/halves.js';
import { Gradients, Tape } from '../autograd/tape.js';
import type { Engine } from '../kernel/engine.js';
import { type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import { Discriminator } from '../models/discriminator.js';
import { type BlockConfig, Generator } from '../models/generator.js';
import { CBAM } from '../nn/cbam.js';
import { DynamicConv2d } from '../nn/dynamicConv2d.js';
import type { Module } from '../nn/module.js';
import { Network, type State } from '../nn/network.js';
import { type Array64, make, moduleOracles, type Outputs } from '../reference/index.js';
import { normal } from '../reference/random.js';
import type { Check } from './check.js';

interface ModuleCase<M extends Module> {
  readonly name: string;
  readonly title: string;
  make(): M;
  /** Data inputs: shapes of normal values, or whole numbers. */
  readonly inputs: Readonly<Record<string, { readonly shape: Shape } | { readonly labels: readonly number[] }>>;
  /** Results by name. */
  call(tape: Tape, module: M, inputs: readonly Tensor[]): Readonly<Record<string, Tensor>>;
  oracle(inputs: readonly Array64[], state: Readonly<Record<string, Array64>>, training: boolean): Outputs;
  /** Spectral norms count u and v as constants: their gradient is that of evaluation at the new u and v. */
  readonly differenceInEvaluation?: boolean;
  /** Greatest error of a gradient in mixed precision. Default 2e-2. */
  readonly halfGradient?: number;
}

const CONV = { stride: 2, padding: 1, pool: 2 };
const GENERATOR = { classes: 3, channels: 1, latent: 6, base: 4, widths: [8, 6] };
const DISCRIMINATOR = { classes: 3, channels: 1, size: 16, widths: [4, 6, 8, 10] };

const CASES: readonly ModuleCase<Module>[] = [
  moduleCase({
    name: 'cbam_module',
    title: '32 channels',
    make: () => new CBAM(32, 8),
    inputs: { x: { shape: [2, 32, 5, 6] } },
    call: (tape, module, [x]) => ({ y: module.forward(tape, x!) }),
    oracle: (inputs, state, training) => moduleOracles.cbam(inputs, state, { training }),
  }),
  moduleCase({
    name: 'dynamic_conv2d',
    title: '8 -> 12 channels',
    make: () => new DynamicConv2d(8, 12, 3, CONV),
    inputs: { x: { shape: [4, 8, 7, 6] } },
    call: (tape, module, [x]) => ({ y: module.forward(tape, x!) }),
    oracle(inputs, state, training) {
      const { stride, padding, pool } = CONV;
      return moduleOracles.dynamic_conv2d(inputs, state, { stride, padding, pool, training });
    },
  }),
  generatorCase('8 x 8', {}),
  generatorCase('8 x 8, neither attention nor skip connections', { attention: false, residual: false }),
  generatorCase('8 x 8, without attention, nearest pixels', { attention: false, upsampling: 'nearest' }),
  generatorCase('8 x 8, conditional norms', { conditionalNorm: true }),
  // Before a batch norm, gradients such as those of bn_phi's bias are zero but for rounding, of which f16 has more.
  { ...generatorCase('8 x 8', { dynamic: true }), name: 'dynamic_generator', halfGradient: 5e-2 },
  moduleCase({
    name: 'discriminator',
    title: '16 x 16',
    make: () => new Discriminator(DISCRIMINATOR),
    inputs: { x: { shape: [3, 1, 16, 16] } },
    call: (tape, module, [x]) => ({ ...module.forward(tape, x!) }),
    oracle: (inputs, state, training) => moduleOracles.discriminator(inputs, state, { training }),
    differenceInEvaluation: true,
  }),
];

function generatorCase(title: string, blocks: BlockConfig): ModuleCase<Module> {
  return moduleCase({
    name: 'generator',
    title,
    make: () => new Generator({ ...GENERATOR, ...blocks }),
    inputs: { z: { shape: [4, 6] }, labels: { labels: [0, 2, 1, 2] } },
    call: (tape, module, [z, labels]) => ({ image: module.forward(tape, z!, labels!) }),
    oracle: (inputs, state, training) => moduleOracles.generator(inputs, state, { ...GENERATOR, ...blocks, training }),
  });
}

/** Ties a case's parts to one type of module, which a list of many cannot. */
function moduleCase<M extends Module>(test: ModuleCase<M>): ModuleCase<Module> {
  return test as unknown as ModuleCase<Module>;
}

/** In mixed precision with `half`: then the gradients of all parameters are compared with those in f32, too. */
export const moduleChecks = (half: boolean): readonly Check[] =>
  [...new Set(CASES.map(({ name }) => name))].map((wanted) => {
    const tests = CASES.filter(({ name }) => name === wanted);
    const inHalf = { forward: 1e-2, gradient: tests[0]!.halfGradient ?? 2e-2 };
    return {
      name: wanted,
      tolerance: half ? inHalf : { forward: 1e-4, gradient: 5e-3 },
      cases: tests.map((test) => ({
        title: `${wanted} ${test.title}`,
        run: (e) => checkModule(e, test, half),
      })),
    };
  });

/** Differences are taken of so many elements of each tensor. */
const DIFFERENCES = 4;

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
  const before = await network.state();
  const first = await runModule(e, test, network, inputs, network.copies);
  network.load(before);
  const second = await runModule(e, test, network, inputs, network.copies);
  network.load(before);
  const single = half ? await runModule(e, test, network, inputs, undefined) : undefined;
  network.destroy();

  const expected = test.oracle(inputs, widen(before), true);
  let forward: Worst = { error: 0, where: '' };
  for (const [name, { data, shape }] of Object.entries(expected)) {
    const actual = first.outputs.get(name) ?? first.after.get(name.replace('after.', ''))?.data ?? new Float32Array();
    forward = worse(forward, compare(name, actual, data, shape, 1e-3));
  }
  const byDifferences = gradientError(test, inputs, before, first);
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

async function runModule(
  e: Engine,
  test: ModuleCase<Module>,
  network: Network<Module>,
  inputs: readonly Array64[],
  halves: HalfCopies | undefined,
): Promise<Run> {
  const names = Object.keys(test.inputs);
  const tensors = inputs.map(({ data, shape }, i) => {
    const labels = 'labels' in test.inputs[names[i]!]!;
    return e.upload(labels ? Int32Array.from(data) : Float32Array.from(data), shape);
  });
  const tracked = new Map<string, Tensor>(
    [...network.module.parameters()].map(({ name, parameter }) => [name, parameter.tensor]),
  );
  tensors.forEach((tensor, i) => {
    if (tensor.dtype === 'f32') tracked.set(names[i]!, tensor);
  });
  const gradients = new Gradients(tracked.values());
  const tape = new Tape(e, gradients, { halves });
  const results = Object.entries(test.call(tape, network.module.train(), tensors));
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

function gradientError(test: ModuleCase<Module>, inputs: readonly Array64[], before: State, run: Run): Worst {
  const state = widen(test.differenceInEvaluation ? run.after : before);
  const named = { ...state, ...Object.fromEntries(Object.keys(test.inputs).map((name, i) => [name, inputs[i]!])) };
  const loss = (): number => {
    const outputs = test.oracle(inputs, state, !test.differenceInEvaluation);
    return [...run.outputs.keys()].reduce((total, name, i) => {
      const { data, shape } = outputs[name]!;
      const weights = cotangent(i, shape);
      return total + data.reduce((sum, value, j) => sum + value * weights[j]!, 0);
    }, 0);
  };
  const floor = 1e-3 * Math.max(...[...run.gradients.values()].map(largest));
  let worst: Worst = { error: 0, where: '' };
  for (const [name, gradient] of run.gradients) {
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

function same(a: Run, b: Run): boolean {
  const pairs = (['outputs', 'gradients'] as const).flatMap((part) =>
    [...a[part]].map(([name, values]) => [values, b[part].get(name)!] as const),
  );
  return pairs.every(([left, right]) => left.every((value, i) => Object.is(value, right[i])));
}
