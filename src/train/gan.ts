/** A GAN in memory: two networks and their optimisers, made from a config. */
import type { Engine } from '../kernel/engine.js';
import { Discriminator } from '../models/discriminator.js';
import { Generator } from '../models/generator.js';
import { Network } from '../nn/network.js';
import { createOptimizer } from '../optim/optimizer.js';
import { discriminatorConfig, generatorConfig, type TrainConfig } from './config.js';
import type { Gan } from './ganStep.js';

/** Streams of the seed: weights of the two networks; sample.ts and trainer.ts have theirs far above. */
const STREAM_G = 0;
const STREAM_D = 1;

export function createGenerator(e: Engine, config: TrainConfig, classes: number): Network<Generator> {
  return new Network(e, new Generator(generatorConfig(config, classes)), config.seed, STREAM_G);
}

export function createDiscriminator(e: Engine, config: TrainConfig, classes: number): Network<Discriminator> {
  return new Network(e, new Discriminator(discriminatorConfig(config, classes)), config.seed, STREAM_D);
}

export function createGan(e: Engine, config: TrainConfig, classes: number): Gan {
  const g = createGenerator(e, config, classes);
  const d = createDiscriminator(e, config, classes);
  const adam = { beta1: config.beta1, beta2: config.beta2, eps: 1e-8 };
  return {
    g,
    d,
    optimizerG: createOptimizer(e, 'adam', [g], { ...adam, lr: config.learningRateG }),
    optimizerD: createOptimizer(e, 'adam', [d], { ...adam, lr: config.learningRateD }),
  };
}
