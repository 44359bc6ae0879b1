/** How long training steps wait for their images. */
import { createLoader } from '../../data/loader.js';
import type { Dataset } from '../../data/read.js';
import { openImages } from '../../data/store.js';
import type { Engine } from '../../kernel/engine.js';
import type { TrainConfig } from '../../train/config.js';
import { spread } from '../measure.js';

export interface LoaderWait {
  /** Images that batches are drawn from. */
  readonly images: number;
  /** Milliseconds that a step waits: the median, and the longest of them. */
  readonly median: number;
  readonly longest: number;
}

/**
 * Takes steps on a data set's training images, one at a time. The first batch, which nothing can have prepared, does not
 * count. Throws a UserError if there are no images.
 */
export async function measureLoader(
  e: Engine,
  dataset: Dataset,
  config: TrainConfig,
  run: (images: Float32Array) => void,
  steps: number,
  signal: AbortSignal,
): Promise<LoaderWait> {
  const source = await openImages(dataset, 'train', { ...config, signal });
  const { batch, seed, balanced } = config;
  const loader = createLoader({ source, batch, seed, balanced });
  const waits: number[] = [];
  for (let step = 0; step <= steps; step++) {
    signal.throwIfAborted();
    const before = loader.waited();
    const { images } = await loader.batch(step);
    if (step > 0) waits.push(loader.waited() - before);
    run(images);
    await e.sync();
  }
  return { images: source.labels.length, median: spread(waits).median, longest: Math.max(...waits) };
}
