/** A GAN in memory: two networks and their optimisers, made from a config. */
import type { Engine } from '../kernel/engine.js';
import { Discriminator } from '../models/discriminator.js';
import { Generator } from '../models/generator.js';
import { Network, type NetworkOptions } from '../nn/network.js';
import { createLossScale } from '../optim/lossScale.js';
import { createOptimizer } from '../optim/optimizer.js';
import { discriminatorConfig, generatorConfig, type TrainConfig } from './config.js';
import type { Gan } from './ganStep.js';
import { inHalf } from './precision.js';

/** Streams of the seed: weights of the two networks; sample.ts and trainer.ts have theirs far above. */
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
  const adam = { beta1: config.beta1, beta2: config.beta2, eps: 1e-8 };
  return {
    g,
    d,
    optimizerG: createOptimizer(e, 'adam', [g], { ...adam, lr: config.learningRateG }, lossScaleG),
    optimizerD: createOptimizer(e, 'adam', [d], { ...adam, lr: config.learningRateD }, lossScaleD),
    ...(ema && { ema }),
    ...(lossScaleG && { lossScaleG }),
    ...(lossScaleD && { lossScaleD }),
  };
}
