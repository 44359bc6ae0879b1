/** The modules that `lyrebird gradcheck` checks: small ones, with the weights that training begins with. */
import type { Shape } from '../memory/tensor.js';
import type { ClassifierOptions } from '../models/classifier.js';
import { type ClassifierName, classifiers } from '../models/classifiers.js';
import { Discriminator } from '../models/discriminator.js';
import { type BlockConfig, Generator } from '../models/generator.js';
import { CBAM } from '../nn/cbam.js';
import { DynamicConv2d } from '../nn/dynamicConv2d.js';
import type { Module } from '../nn/module.js';
import { type Array64, moduleOracles, type Outputs } from '../reference/index.js';
import { discriminatorCall, generatorCall, layerCall, type ModuleCall } from './moduleRun.js';

/** Results by name from inputs and state, and in training the buffers after the call as `after.<name>`. */
export type ModuleOracle = (
  inputs: readonly Array64[],
  state: Readonly<Record<string, Array64>>,
  training: boolean,
) => Outputs;

export interface ModuleCase<M extends Module> {
  readonly name: string;
  readonly title: string;
  make(): M;
  readonly call: ModuleCall<M>;
  /** Its data inputs in their order: shapes of normal values, or whole numbers. */
  readonly inputs: readonly ({ readonly shape: Shape } | { readonly labels: readonly number[] })[];
  /** Default: the module's own ops, each by its float64 reference, which says nothing of how they are put together. */
  readonly oracle?: ModuleOracle;
  /** Spectral norms count u and v as constants: their gradient is that of evaluation at the new u and v. */
  readonly differenceInEvaluation?: boolean;
  /** Greatest error of a result. Default 1e-4. */
  readonly forward?: number;
  /** Greatest error of a gradient in mixed precision. Default 2e-2. */
  readonly halfGradient?: number;
  /**
   * Checked in evaluation mode, with the statistics of its inputs: where few values share a norm, training turns rounding into
   * any error (bench/NOTES.md).
   */
  readonly inEvaluation?: boolean;
  /** Differences are taken for so many tensors, evenly chosen. Default: for all. */
  readonly differenced?: number;
}

const CONV = { stride: 2, padding: 1, pool: 2 };
const GENERATOR = { classes: 3, channels: 1, latent: 6, base: 4, widths: [8, 6] };
const DISCRIMINATOR = { classes: 3, channels: 1, size: 16, widths: [4, 6, 8, 10] };

export const MODULES: readonly ModuleCase<Module>[] = [
  moduleCase({
    name: 'cbam_module',
    title: '32 channels',
    make: () => new CBAM(32, 8),
    call: layerCall('y'),
    inputs: [{ shape: [2, 32, 5, 6] }],
    oracle: (inputs, state, training) => moduleOracles.cbam(inputs, state, { training }),
  }),
  moduleCase({
    name: 'dynamic_conv2d',
    title: '8 -> 12 channels',
    make: () => new DynamicConv2d(8, 12, 3, CONV),
    call: layerCall('y'),
    inputs: [{ shape: [4, 8, 7, 6] }],
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
    call: discriminatorCall,
    inputs: [{ shape: [3, 1, 16, 16] }],
    oracle: (inputs, state, training) => moduleOracles.discriminator(inputs, state, { training }),
    differenceInEvaluation: true,
  }),
];

/**
 * The classifiers, which train in f32 only. A dynamic MobileNetV2 is not among them: with the weights that it begins with, rounding
 * decides its gradients, in evaluation too.
 */
export const CLASSIFIERS: readonly ModuleCase<Module>[] = [
  classifierCase('mobilenet_v2', { width: 0.25 }),
  classifierCase('resnet18', { width: 0.0625 }),
  classifierCase('resnet18', { width: 0.0625, dynamic: true }),
  classifierCase('vgg16', { width: 0.0625 }),
  classifierCase('vgg16', { width: 0.0625, dynamic: true }),
];

function generatorCase(title: string, blocks: BlockConfig): ModuleCase<Module> {
  return moduleCase({
    name: 'generator',
    title,
    make: () => new Generator({ ...GENERATOR, ...blocks }),
    call: generatorCall,
    inputs: [{ shape: [4, 6] }, { labels: [0, 2, 1, 2] }],
    oracle: (inputs, state, training) => moduleOracles.generator(inputs, state, { ...GENERATOR, ...blocks, training }),
  });
}

/** What torchvision's results show right as a whole (bench/classifiers.py); here, its gradients. */
function classifierCase(name: ClassifierName, options: Omit<ClassifierOptions, 'classes'>): ModuleCase<Module> {
  return moduleCase({
    name,
    title: `32 x 32${options.dynamic ? ', dynamic' : ''}`,
    make: () => classifiers[name]({ classes: 3, dropout: 0, ...options }),
    call: layerCall('logits'),
    inputs: [{ shape: [4, 3, 32, 32] }],
    inEvaluation: name === 'mobilenet_v2',
    differenced: 12,
    forward: 1e-3,
  });
}

/** Ties a case's parts to one type of module, which a list of many cannot. */
function moduleCase<M extends Module>(test: ModuleCase<M>): ModuleCase<Module> {
  return test as unknown as ModuleCase<Module>;
}
