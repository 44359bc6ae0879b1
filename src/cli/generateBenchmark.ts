/** A batch of generated images to time, from noise to values that the processor has read. */
import type { Engine } from '../kernel/engine.js';
import { type Preset, presetConfig, type TrainConfig } from '../train/config.js';
import { createGenerator } from '../train/gan.js';
import { generateImages } from '../train/sample.js';
import type { Benchmark } from './benchmark.js';
import { CLASSES } from './stepBenchmark.js';

/** Images of a run: some batches, as `lyrebird generate` makes them. */
const IMAGES = 64;

export function generateBenchmark(preset: Preset, size: TrainConfig['size']): Benchmark {
  const config = presetConfig(preset, size);
  const { batch } = config;
  const labels = Int32Array.from({ length: IMAGES }, (_, i) => i % CLASSES);
  return {
    name: `generate ${preset} ${size}x${size} batch ${batch}`,
    prepare(e: Engine) {
      const g = createGenerator(e, config, CLASSES, { trained: false });
      const run = async (): Promise<void> => void (await generateImages(e, g, labels, { seed: 1, batch }));
      return { passes: [{ name: `${IMAGES} images`, images: IMAGES, run }], release: () => g.destroy() };
    },
  };
}
