/** A GAN in memory: two networks and their optimisers, made from a config. */
import type { Engine } from '../kernel/engine.js';
import { Discriminator } from '../models/discriminator.js';
import { Generator } from '../models/generator.js';
import { Network } from '../nn/network.js';
import { createLossScale } from '../optim/lossScale.js';
import { createOptimizer } from '../optim/optimizer.js';
import { discriminatorConfig, generatorConfig, type TrainConfig } from './config.js';
import type { Gan } from './ganStep.js';
import { inHalf } from './precision.js';

/** Streams of the seed: weights of the two networks; sample.ts and trainer.ts have theirs far above. */
const STREAM_G = 0;
const STREAM_D = 1;

/** With `half` it has copies of its parameters in f16. */
export function createGenerator(e: Engine, config: TrainConfig, classes: number, half = false): Network<Generator> {
  return new Network(e, new Generator(generatorConfig(config, classes)), config.seed, STREAM_G, half);
}

export function createDiscriminator(
  e: Engine,
  config: TrainConfig,
  classes: number,
  half = false,
): Network<Discriminator> {
  return new Network(e, new Discriminator(discriminatorConfig(config, classes)), config.seed, STREAM_D, half);
}

export function createGan(e: Engine, config: TrainConfig, classes: number): Gan {
  const half = inHalf(e, config.precision);
  const g = createGenerator(e, config, classes, half);
  const d = createDiscriminator(e, config, classes, half);
  const lossScaleG = half ? createLossScale(e) : undefined;
  const lossScaleD = half ? createLossScale(e) : undefined;
  const adam = { beta1: config.beta1, beta2: config.beta2, eps: 1e-8 };
  return {
    g,
    d,
    optimizerG: createOptimizer(e, 'adam', [g], { ...adam, lr: config.learningRateG }, lossScaleG),
    optimizerD: createOptimizer(e, 'adam', [d], { ...adam, lr: config.learningRateD }, lossScaleD),
    ...(lossScaleG && { lossScaleG }),
    ...(lossScaleD && { lossScaleD }),
  };
}
