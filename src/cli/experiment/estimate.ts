/** How long an experiment takes, and how much room on disk, from some timed steps of each kind. */

import type { ClassifierRunConfig } from '../../classify/config.js';
import { classifierConfig, type ExperimentConfig, ganConfig, stepsOf } from '../../classify/experiment/config.js';
import { folderOf, type Member } from '../../classify/experiment/run.js';
import { createClassifier } from '../../classify/files.js';
import { armName } from '../../io/experiment.js';
import type { Engine } from '../../kernel/engine.js';
import { uniform } from '../../reference/random.js';
import { trainClassifier } from '../../train/classifier.js';
import { createGan, destroyGan } from '../../train/gan.js';
import { timeStep } from '../stepBenchmark.js';

export interface Cost {
  readonly seconds: number;
  /** On disk when it is done. */
  readonly bytes: number;
  /** Beside, while it is made. */
  readonly meanwhile: number;
}

export interface Estimate {
  costOf(member: Member): Cost;
  /** Of each kind that was timed, in words. */
  readonly steps: readonly string[];
}

/** Steps that are timed, as an epoch, after as many others in which kernels are compiled. */
const TIMED = 5;

/** A number of f32: bytes. */
const FLOAT = 4;

/** Weights that a generator's checkpoint has for each of the generator and the discriminator: with both moments, and an average. */
const [OF_G, OF_D] = [4, 3];

/** Checkpoints of a generator while it trains: the newest three, the best. */
const CHECKPOINTS = 4;

/** Sets of weights in a classifier's checkpoint: the newest, the best, both moments. */
const OF_CLASSIFIER = 4;

export interface EstimateOptions {
  /** Seconds that opening the data set takes, which every member does. */
  readonly opening: number;
  readonly signal: AbortSignal;
  /** Told after each kind. */
  readonly onTimed: (done: number, total: number) => void;
}

/** Times some steps of each kind of member that is `left`. */
export async function estimate(
  e: Engine,
  config: ExperimentConfig,
  classes: number,
  left: readonly Member[],
  { opening, signal, onTimed }: EstimateOptions,
): Promise<Estimate> {
  const kinds = new Map(left.map((member) => [kindOf(member), member]));
  const costs = new Map<string, Cost & { readonly step: number }>();
  for (const [kind, { classifier }] of kinds) {
    signal.throwIfAborted();
    const place = { fold: null, seed: 1 };
    if (classifier) {
      const { network, dynamic } = classifier.arm;
      const of = classifierConfig(config, { ...place, network, dynamic, augment: [], epochs: 1 }, 'The experiment');
      const { step, creation, parameters } = await timeClassifier(e, of, classes);
      const bytes = FLOAT * parameters;
      const seconds = step * stepsOf(config, network) + creation + opening;
      costs.set(kind, { step, seconds, bytes, meanwhile: OF_CLASSIFIER * bytes });
    } else {
      const of = ganConfig(config, place, 'The experiment');
      const step = await timeStep(e, of);
      const gan = createGan(e, of, classes);
      const bytes = FLOAT * (OF_G * gan.g.parameterCount + OF_D * gan.d.parameterCount);
      destroyGan(e, gan);
      costs.set(kind, { step, seconds: step * of.steps + opening, bytes, meanwhile: CHECKPOINTS * bytes });
    }
    onTimed(costs.size, kinds.size);
  }
  return {
    costOf: (member) => costs.get(kindOf(member))!,
    steps: [...costs].map(([kind, { step }]) => `${kind} ${Math.round(1000 * step)} ms`),
  };
}

const kindOf = ({ classifier }: Member): string =>
  classifier ? armName(classifier.arm.network.name, classifier.arm.dynamic) : 'generator';

/** Seconds of a step and of making its weights, and how many of these there are. */
async function timeClassifier(
  e: Engine,
  config: ClassifierRunConfig,
  classes: number,
): Promise<{ step: number; creation: number; parameters: number }> {
  const { batch, size, channels } = config;
  const start = performance.now();
  const network = createClassifier(e, config, classes);
  const creation = (performance.now() - start) / 1000;
  const images = Float32Array.from(uniform(0, 0, batch * channels * size ** 2), (u) => 2 * u - 1);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
  let begin = 0;
  try {
    await trainClassifier({
      ...{ engine: e, network, channels, size, config: { ...config, epochs: 2 } },
      loader: { batch: async () => ({ images: images.slice(), labels }), batchesPerEpoch: TIMED },
      // All steps of an epoch are done when it is told of.
      onEpoch: ({ epoch }) => {
        if (epoch === 1) begin = performance.now();
      },
    });
    return { step: (performance.now() - begin) / 1000 / TIMED, creation, parameters: network.parameterCount };
  } finally {
    network.destroy();
  }
}

/** Of all that is left: how long, how much will stay, and how much is needed at the most. */
export function total(left: readonly Member[], { costOf }: Estimate): { seconds: number; bytes: number; most: number } {
  const costs = new Map(left.map((member) => [folderOf(member), costOf(member)]));
  const all = [...costs.values()];
  const sum = (of: (cost: Cost) => number): number => all.reduce((so, cost) => so + of(cost), 0);
  const bytes = sum((cost) => cost.bytes);
  return {
    seconds: sum((cost) => cost.seconds),
    bytes,
    most: bytes + Math.max(0, ...all.map((cost) => cost.meanwhile)),
  };
}
