/** The networks that are exported, with the names of what they take and give. */
import type { ClassifierOptions } from '../models/classifier.js';
import { type ClassifierName, classifiers } from '../models/classifiers.js';
import { Generator, type GeneratorConfig } from '../models/generator.js';
import type { State } from '../nn/network.js';
import type { Exported } from './network.js';

type Metadata = Exported['metadata'];

/** noise [N, latent], labels [N] -> images [N, channels, size, size] in (-1, 1). */
export function exportedGenerator(config: GeneratorConfig, state: State, metadata: Metadata): Exported {
  const module = new Generator(config);
  return {
    name: 'generator',
    module,
    state,
    inputs: [
      { name: 'noise', shape: [config.latent] },
      { name: 'labels', shape: [], integers: true },
    ],
    output: 'images',
    forward: (tape, [noise, labels]) => module.forward(tape, noise!, labels!),
    metadata,
  };
}

/** images [N, channels, size, size] -> logits [N, classes]. */
export function exportedClassifier(
  name: ClassifierName,
  options: ClassifierOptions,
  size: number,
  state: State,
  metadata: Metadata,
): Exported {
  const module = classifiers[name](options);
  return {
    name,
    module,
    state,
    inputs: [{ name: 'images', shape: [options.channels ?? 3, size, size] }],
    output: 'logits',
    forward: (tape, [images]) => module.forward(tape, images!),
    metadata,
  };
}
