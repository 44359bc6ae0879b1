/** A whole training step of DR-ACGAN to time: the networks and the batch of the reference's own timing. */
import type { Engine } from '../kernel/engine.js';
import { uniform } from '../reference/random.js';
import { presetConfig, type TrainConfig } from '../train/config.js';
import { drawBatch } from '../train/draw.js';
import { createGan, destroyGan } from '../train/gan.js';
import { createGanStep } from '../train/ganStep.js';
import type { Precision } from '../train/precision.js';
import type { Benchmark } from './benchmark.js';

/** Species that the networks of a timed step tell apart: the paper's. */
export const CLASSES = 17;

export interface PreparedStep {
  /**
   * Records one update of the discriminator and one of the generator: inputs are uploaded, losses left on the GPU. `images`
   * [batch, channels, size, size] are random unless they are given.
   */
  run(images?: Float32Array): void;
  /** Gives the memory back. */
  release(): void;
}

/** Networks, optimisers and a batch of random images for steps that are alike but for the weights. */
export function prepareStep(e: Engine, config: TrainConfig): PreparedStep {
  const { batch, size } = config;
  const gan = createGan(e, config, CLASSES);
  const step = createGanStep(e, gan, config, batch);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % CLASSES);
  const random = Float32Array.from(uniform(0, 0, batch * config.channels * size * size), (u) => 2 * u - 1);
  return {
    run(images = random) {
      e.scope(() => {
        e.mark('noise');
        const reals = Array.from({ length: config.discriminatorSteps }, () => ({ images, labels }));
        step.run(drawBatch(e, config, CLASSES, 0, reals));
        return null;
      });
    },
    release() {
      step.destroy();
      destroyGan(e, gan);
    },
  };
}

/** Steps before those that are timed, in which kernels are compiled, and those that are. */
const [WARM, TIMED] = [2, 5];

/** How long a step takes, in seconds. */
export async function timeStep(e: Engine, config: TrainConfig): Promise<number> {
  const { run, release } = prepareStep(e, config);
  for (let i = 0; i < WARM; i++) run();
  await e.sync();
  const begin = performance.now();
  for (let i = 0; i < TIMED; i++) run();
  await e.sync();
  const seconds = (performance.now() - begin) / 1000 / TIMED;
  release();
  return seconds;
}

export function stepBenchmark(size: TrainConfig['size'], batch: number): Benchmark {
  return {
    name: `DR-ACGAN step ${size}x${size} batch ${batch}`,
    prepare(e: Engine, precision: Precision = 'f32') {
      const { run, release } = prepareStep(e, { ...presetConfig('reference', size), batch, precision });
      return { passes: [{ name: 'step', run }], release };
    },
  };
}
