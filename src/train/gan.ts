/** A GAN in memory: two networks and their optimisers, made from a config. */
import type { Engine } from '../kernel/engine.js';
import { Discriminator } from '../models/discriminator.js';
import { Generator } from '../models/generator.js';
import type { Module } from '../nn/module.js';
import { Network, type NetworkOptions } from '../nn/network.js';
import { createLossScale, type LossScale } from '../optim/lossScale.js';
import { createOptimizer, type Optimizer } from '../optim/optimizer.js';
import { discriminatorConfig, generatorConfig, type TrainConfig } from './config.js';
import type { Gan } from './ganStep.js';
import { inHalf } from './precision.js';

/** Streams of the seed: weights of the two networks; sample.ts and draw.ts have theirs far above. */
const STREAM_G = 0;
const STREAM_D = 1;

type Options = Omit<NetworkOptions, 'stream'>;

export function createGenerator(
  e: Engine,
  config: TrainConfig,
  classes: number,
  options: Options = {},
): Network<Generator> {
  const module = new Generator(generatorConfig(config, classes));
  return new Network(e, module, config.seed, { ...options, stream: STREAM_G });
}

export function createDiscriminator(
  e: Engine,
  config: TrainConfig,
  classes: number,
  options: Options = {},
): Network<Discriminator> {
  const module = new Discriminator(discriminatorConfig(config, classes));
  return new Network(e, module, config.seed, { ...options, stream: STREAM_D });
}

export function createGan(e: Engine, config: TrainConfig, classes: number): Gan {
  const half = inHalf(e, config.precision);
  const g = createGenerator(e, config, classes, { half });
  const d = createDiscriminator(e, config, classes, { half });
  // Of the same seed: so it begins where the generator does.
  const ema = config.ema === null ? undefined : createGenerator(e, config, classes, { trained: false });
  const lossScaleG = half ? createLossScale(e) : undefined;
  const lossScaleD = half ? createLossScale(e) : undefined;
  const { optimizer, beta1, beta2, learningRateG, learningRateD } = config;
  const optimizerOf = (network: Network<Module>, lr: number, lossScale: LossScale | undefined): Optimizer =>
    optimizer === 'rmsprop'
      ? createOptimizer(e, 'rmsprop', [network], { lr }, lossScale)
      : createOptimizer(e, 'adam', [network], { lr, beta1, beta2, eps: 1e-8 }, lossScale);
  return {
    g,
    d,
    optimizerG: optimizerOf(g, learningRateG, lossScaleG),
    optimizerD: optimizerOf(d, learningRateD, lossScaleD),
    ...(ema && { ema }),
    ...(lossScaleG && { lossScaleG }),
    ...(lossScaleD && { lossScaleD }),
  };
}

/** What both networks are made of, by `generator/fc.weight`. */
export async function namedWeights({ g, d }: Gan): Promise<[name: string, values: Float32Array][]> {
  return [...(await parametersOf('generator', g)), ...(await parametersOf('discriminator', d))];
}

async function parametersOf(prefix: string, network: Network<Module>): Promise<[string, Float32Array][]> {
  const state = await network.state();
  return Array.from(network.module.parameters(), ({ name }) => [`${prefix}/${name}`, state.get(name)!.data]);
}

/** Gives its memory back. */
export function destroyGan(e: Engine, { g, d, ema, optimizerG, optimizerD, lossScaleG, lossScaleD }: Gan): void {
  for (const network of [g, d, ema]) network?.destroy();
  for (const optimizer of [optimizerG, optimizerD]) {
    for (const tensor of Object.values(optimizer.state())) e.release(tensor);
  }
  for (const lossScale of [lossScaleG, lossScaleD]) if (lossScale) e.release(lossScale.state);
}
