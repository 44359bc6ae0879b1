/** A whole training step of DR-ACGAN as a benchmark: the networks and the batch of the reference's own timing. */
import type { Engine } from '../kernel/engine.js';
import { randomNormal } from '../ops/random.js';
import { uniform } from '../reference/random.js';
import { presetConfig, type TrainConfig } from '../train/config.js';
import { createGan } from '../train/gan.js';
import { createGanStep } from '../train/ganStep.js';
import type { Benchmark } from './benchmark.js';

const CLASSES = 17;

/** One update of the discriminator and one of the generator, inputs uploaded, losses left on the GPU. */
export function stepBenchmark(size: TrainConfig['size'], batch: number): Benchmark {
  return {
    name: `DR-ACGAN step ${size}x${size} batch ${batch}`,
    prepare(e: Engine) {
      const config = { ...presetConfig('reference', size), batch };
      const gan = createGan(e, config, CLASSES);
      const step = createGanStep(e, gan, config, batch);
      const labels = Int32Array.from({ length: batch }, (_, i) => i % CLASSES);
      const images = Float32Array.from(uniform(0, 0, batch * size * size), (u) => 2 * u - 1);
      const run = (): void => {
        e.scope(() => {
          const noise = (stream: number) => randomNormal(e, [batch, config.latent], { seed: 0, stream });
          step.run({ images, labels, zd: noise(1), zdLabels: labels, zg: noise(2), zgLabels: labels });
          return null;
        });
      };
      return {
        passes: [{ name: 'step', run }],
        release() {
          step.destroy();
          gan.g.destroy();
          gan.d.destroy();
          for (const optimizer of [gan.optimizerG, gan.optimizerD]) {
            for (const tensor of Object.values(optimizer.state())) e.release(tensor);
          }
        },
      };
    },
  };
}
