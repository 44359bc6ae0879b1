/** Reference cases of whole modules: which one, in which state, and how it is called. */
import type { Engine } from '../../kernel/engine.js';
import { sizeOf, type Tensor } from '../../memory/tensor.js';
import type { ClassifierOptions } from '../../models/classifier.js';
import { CLASSIFIER_NAMES, classifiers } from '../../models/classifiers.js';
import { Discriminator, type DiscriminatorConfig } from '../../models/discriminator.js';
import { Generator, type GeneratorConfig } from '../../models/generator.js';
import { CBAM } from '../../nn/cbam.js';
import { DynamicConv2d } from '../../nn/dynamicConv2d.js';
import type { Layer, Module } from '../../nn/module.js';
import { Network, type State } from '../../nn/network.js';
import { discriminatorCall, generatorCall, layerCall, type ModuleCall } from '../moduleRun.js';
import { type ReferenceCase, required, upload, type Values } from './cases.js';

/** What such a case says. */
export interface ModuleUnderTest {
  readonly module: Module;
  readonly call: ModuleCall<Module>;
  readonly state: State;
}

/** A case as that of a module; undefined if it is not one. */
export const moduleOf = (test: ReferenceCase): ModuleUnderTest | undefined => MODULES.get(test.op)?.(test);

/** Memory for a case's module, in its state, and its data inputs in their order. */
export function placed(
  e: Engine,
  test: ReferenceCase,
  { module, call, state }: ModuleUnderTest,
): { readonly network: Network<Module>; readonly inputs: readonly Tensor[] } {
  const network = new Network(e, module, 0);
  network.load(state);
  module.train(test.attrs.training !== false);
  return { network, inputs: call.data.map((name) => upload(e, required(test.inputs, name))) };
}

/** The entries of a case whose names are those of the network's state. */
export function stateFrom(values: Values, module: Module, prefix = ''): State {
  const named = [...module.state()].map(({ name }) => [name, values.get(prefix + name)] as const);
  return new Map(
    named.filter(([, value]) => value !== undefined) as [string, { shape: number[]; data: Float32Array }][],
  );
}

/** Cases of a module: made from their attributes, in the state that the case holds or, with `state`, describes. */
function moduleUnderTest<M extends Module>(
  make: (attrs: Readonly<Record<string, unknown>>) => M,
  call: ModuleCall<M>,
  state: (test: ReferenceCase, module: M) => State = (test, module) => stateFrom(test.inputs, module),
): (test: ReferenceCase) => ModuleUnderTest {
  return (test) => {
    const module = make(test.attrs);
    // A call takes the module that was made beside it, which a table of all modules cannot say.
    return { module, call: call as unknown as ModuleCall<Module>, state: state(test, module) };
  };
}

interface DynamicAttrs {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly pool: number;
}

/** A classifier, without dropout. Its state is in the case, or described there as `sine`. */
const classifierUnderTest = (make: (options: ClassifierOptions) => Layer): ((test: ReferenceCase) => ModuleUnderTest) =>
  moduleUnderTest(
    (attrs) => make({ ...(attrs as unknown as ClassifierOptions), dropout: 0 }),
    layerCall('logits'),
    (test, module) => {
      const { state } = test.attrs;
      if (state === undefined) return stateFrom(test.inputs, module);
      if (state === 'sine') return sineState(module);
      throw new Error(`the state '${state}' of a classifier is not known`);
    },
  );

/**
 * A state that a formula gives: element j of the i-th tensor is based on s = sin(0.7 j + i). Weights of more than one
 * dimension are s sqrt(3 / fan in), running variances 1 + s / 2, other weights 1 + s / 10, all else s / 10.
 */
function sineState(module: Module): State {
  return new Map(
    [...module.state()].map(({ name, parameter: { shape } }, i) => {
      const scale = Math.sqrt(3 / sizeOf(shape.slice(1)));
      const data = Float32Array.from({ length: sizeOf(shape) }, (_, j) => {
        const s = Math.sin(0.7 * j + i);
        if (shape.length > 1) return s * scale;
        if (name.endsWith('running_var')) return 1 + 0.5 * s;
        return name.endsWith('weight') ? 1 + 0.1 * s : 0.1 * s;
      });
      return [name, { shape, data }];
    }),
  );
}

type Maker = (test: ReferenceCase) => ModuleUnderTest;

const MODULES: ReadonlyMap<string, Maker> = new Map(
  Object.entries<Maker>({
    cbam: moduleUnderTest((attrs) => new CBAM(attrs.channels as number, attrs.reduction as number), layerCall('y')),
    dynamic_conv2d: moduleUnderTest((attrs) => {
      const { inChannels, outChannels, kernel, ...options } = attrs as unknown as DynamicAttrs;
      return new DynamicConv2d(inChannels, outChannels, kernel, options);
    }, layerCall('y')),
    generator: moduleUnderTest((attrs) => new Generator(attrs as unknown as GeneratorConfig), generatorCall),
    discriminator: moduleUnderTest(
      (attrs) => new Discriminator(attrs as unknown as DiscriminatorConfig),
      discriminatorCall,
    ),
    ...Object.fromEntries(CLASSIFIER_NAMES.map((name) => [name, classifierUnderTest(classifiers[name])])),
  }),
);
