/** Runs one reference case on the engine: results and gradients by the names that the case asks for. */
import { cwt } from '../../audio/wavelet.js';
import { Gradients, Tape } from '../../autograd/tape.js';
import type { Engine } from '../../kernel/engine.js';
import { formatShape, reshaped, type Shape, sameShape, type Tensor } from '../../memory/tensor.js';
import { Discriminator, type DiscriminatorConfig } from '../../models/discriminator.js';
import { Generator, type GeneratorConfig } from '../../models/generator.js';
import { Network } from '../../nn/network.js';
import { inputName, updatedInputs } from '../../ops/define.js';
import { opByName } from '../../ops/index.js';
import { createOptimizer, type OptimizerKind } from '../../optim/optimizer.js';
import { createGanStep, LOSS_NAMES } from '../../train/ganStep.js';
import type { GanObjective } from '../../train/objective.js';
import { runModule } from '../moduleRun.js';
import { type ReferenceCase, required, upload, type Value } from './cases.js';
import { type ModuleUnderTest, moduleOf, placed, stateFrom } from './modules.js';

export interface Results {
  readonly outputs: ReadonlyMap<string, Float32Array>;
  readonly grads: ReadonlyMap<string, Float32Array>;
}

type Runner = (e: Engine, test: ReferenceCase) => Promise<Results>;

const NO_GRADS: Results['grads'] = new Map();

/** Runs a case; undefined if its op is not known here. */
export async function runCase(e: Engine, test: ReferenceCase): Promise<Results | undefined> {
  const module = moduleOf(test);
  if (module) return runModuleCase(e, test, module);
  const runner = RUNNERS.get(test.op) ?? (opByName.has(test.op) ? runOp : undefined);
  return runner?.(e, test);
}

async function runOp(e: Engine, test: ReferenceCase): Promise<Results> {
  const op = opByName.get(test.op)!;
  const names = op.inputs.map(inputName);
  const unknown = [...test.inputs.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`${op.name} has no input ${unknown}; it has ${names.join(', ')}`);
  const inputs = op.inputs.map((input) => {
    const name = inputName(input);
    const value = input === name ? required(test.inputs, name) : test.inputs.get(name);
    return value && upload(e, value);
  });
  const gradients = new Gradients(inputs.filter((input) => input?.dtype === 'f32') as Tensor[]);
  const tape = new Tape(e, gradients);
  const y = tape.apply(op, inputs, test.attrs);
  checkShape(test, op.output, y.shape);
  const cotangent = test.cotangents.get(op.output);
  if (cotangent) tape.backward(y, upload(e, cotangent));
  const outputs = new Map([[op.output, await e.read(y)]]);
  for (const [name, tensor] of updatedInputs(op, inputs)) outputs.set(name, await e.read(tensor));
  const grads = new Map<string, Float32Array>();
  for (const [i, name] of names.entries()) {
    const gradient = inputs[i] && gradients.of(inputs[i]);
    if (gradient) grads.set(name, await e.read(gradient));
  }
  return { outputs, grads };
}

async function runModuleCase(e: Engine, test: ReferenceCase, wanted: ModuleUnderTest): Promise<Results> {
  const { network, inputs } = placed(e, test, wanted);
  const unused = new Map(test.cotangents);
  const { outputs, buffers, gradients } = await runModule(e, wanted.module, wanted.call, inputs, (name, shape) => {
    checkShape(test, name, shape);
    const value = unused.get(name);
    unused.delete(name);
    return value && upload(e, value);
  });
  network.destroy();
  for (const name of unused.keys()) throw new Error(`the case has a cotangent for ${name}, which is no result`);
  const arrived = [...gradients].filter((entry): entry is [string, Float32Array] => entry[1] !== undefined);
  const after = [...buffers].map(([name, values]) => [`after.${name}`, values] as const);
  return { outputs: new Map([...outputs, ...after]), grads: new Map(arrived) };
}

/** Throws if a case expects a result of another shape, though it be of as many values, or gives its gradient in one. */
function checkShape({ outputs, cotangents }: ReferenceCase, name: string, shape: Shape): void {
  for (const [what, given] of [
    ['expected', outputs.get(name)],
    ['its cotangent', cotangents.get(name)],
  ] as const) {
    if (given && !sameShape(given.shape, shape))
      throw new Error(`${name} has the shape ${formatShape(shape)}, ${what} ${formatShape(given.shape)}`);
  }
}

function optimizerRunner(kind: OptimizerKind): Runner {
  return async (e, test) => {
    const { steps, ...attrs } = test.attrs as { steps: number; lr: number };
    const param = upload(e, required(test.inputs, 'param'));
    const size = [required(test.inputs, 'param').data.length];
    const gradient = e.empty(size);
    const optimizer = createOptimizer(e, kind, [{ values: reshaped(param, size), gradients: gradient }], attrs);
    for (let t = 0; t < steps; t++) {
      e.write(gradient, required(test.inputs, `grad${t}`).data);
      optimizer.update(e);
    }
    return { outputs: new Map([['param', await e.read(param)]]), grads: NO_GRADS };
  };
}

async function runTrainSteps(e: Engine, test: ReferenceCase): Promise<Results> {
  const attrs = test.attrs as unknown as GanObjective & {
    generator: GeneratorConfig;
    discriminator: DiscriminatorConfig;
    steps: number;
    lr: number;
    beta1: number;
    beta2: number;
    eps: number;
  };
  const g = new Network(e, new Generator(attrs.generator), 0);
  const d = new Network(e, new Discriminator(attrs.discriminator), 0);
  g.load(stateFrom(test.inputs, g.module, 'g.'));
  d.load(stateFrom(test.inputs, d.module, 'd.'));
  const optimizerG = createOptimizer(e, 'adam', [g], attrs);
  const optimizerD = createOptimizer(e, 'adam', [d], attrs);
  const batchSize = required(test.inputs, 'labels0').shape[0]!;
  const step = createGanStep(e, { g, d, optimizerG, optimizerD }, attrs, batchSize);
  const lossD: number[] = [];
  const lossG: number[] = [];
  for (let t = 0; t < attrs.steps; t++) {
    const at = (name: string): Value => required(test.inputs, name + t);
    const losses = step.run({
      images: at('images').data as Float32Array,
      labels: at('labels').data as Int32Array,
      zd: upload(e, at('zd')),
      zdLabels: at('zdLabels').data as Int32Array,
      zg: upload(e, at('zg')),
      zgLabels: at('zgLabels').data as Int32Array,
    });
    const [sourceD, classD, sourceG, classG] = await e.read(losses);
    if (losses.shape[0] !== LOSS_NAMES.length) throw new Error('a training step reports four losses');
    lossD.push(sourceD! + classD!);
    lossG.push(sourceG! + classG!);
  }
  const outputs = new Map<string, Float32Array>([
    ['lossD', Float32Array.from(lossD)],
    ['lossG', Float32Array.from(lossG)],
  ]);
  for (const [prefix, network] of [
    ['g.', g],
    ['d.', d],
  ] as const) {
    for (const [name, { data }] of await network.state()) outputs.set(prefix + name, data);
    network.destroy();
  }
  return { outputs, grads: NO_GRADS };
}

const RUNNERS: ReadonlyMap<string, Runner> = new Map(
  Object.entries<Runner>({
    adam: optimizerRunner('adam'),
    adamw: optimizerRunner('adamw'),
    sgd: optimizerRunner('sgd'),
    rmsprop: optimizerRunner('rmsprop'),
    train_steps: runTrainSteps,
    async cwt(e, test) {
      const samples = Float32Array.from(required(test.inputs, 'x').data);
      const frequencies = Float64Array.from(required(test.inputs, 'frequencies').data);
      const magnitude = cwt(e, samples, frequencies, test.attrs as unknown as Parameters<typeof cwt>[3]);
      return { outputs: new Map([['magnitude', await e.read(magnitude)]]), grads: NO_GRADS };
    },
  }),
);
