/** Which images `lyrebird generate` makes: the first of each class, or those that discriminator and classifier choose. */
import { isDeepStrictEqual } from 'node:util';
import { type Dataset, readDataset } from '../../data/read.js';
import { openImages } from '../../data/store.js';
import { describe, UserError } from '../../io/errors.js';
import { createProgress } from '../../io/progress.js';
import type { Engine } from '../../kernel/engine.js';
import type { Discriminator } from '../../models/discriminator.js';
import type { FeatureNet } from '../../models/featureNet.js';
import type { Generator } from '../../models/generator.js';
import type { Network } from '../../nn/network.js';
import { type Checkpoint, loadNetwork } from '../../train/checkpoint.js';
import { openFeatures, readFeatures } from '../../train/features.js';
import { createDiscriminator } from '../../train/gan.js';
import { noiseIndex } from '../../train/sample.js';
import { select } from '../../train/selection.js';
import type { ClassCount } from '../counts.js';
import { checkClasses, ownDataset } from '../report.js';
import { type Entry, fileNames, rounded } from '../syntheticFolder.js';

/** What is chosen by; all images are taken where it says nothing. */
export interface Choosing {
  readonly seed: number;
  readonly truncation?: number;
  readonly keepBest?: number;
  readonly minConfidence?: number;
  /** Where the run lies, and its data set: for the classifier. */
  readonly run?: string;
  readonly dataset?: string;
}

export interface Planning {
  readonly engine: Engine;
  readonly checkpoint: Checkpoint;
  readonly g: Network<Generator>;
  readonly counts: readonly ClassCount[];
  readonly flags: Choosing;
  readonly signal: AbortSignal;
}

export interface Plan {
  readonly plan: readonly Entry[];
  readonly rejected?: number;
  readonly short: readonly string[];
}

/** All images to be made, class by class: the first of each, or those that are chosen. */
export async function planImages(planning: Planning): Promise<Plan> {
  const { engine, checkpoint, counts, flags } = planning;
  const { classes, config } = checkpoint;
  const fileOf = fileNames(classes);
  if (flags.keepBest === undefined && flags.minConfidence === undefined) {
    const plan = counts.flatMap(({ label, count }) =>
      Array.from({ length: count }, (_, i) => entry(fileOf, classes[label]!, i, noiseIndex(label, i))),
    );
    return { plan, short: [] };
  }
  const d = flags.keepBest === undefined ? undefined : openDiscriminator(engine, checkpoint);
  const classifier = flags.minConfidence === undefined ? undefined : await openClassifier(planning);
  const plan: Entry[] = [];
  const short: string[] = [];
  let rejected = 0;
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const progress = createProgress({ title: 'choose', total, unit: 'images' });
  try {
    for (const { label, count } of counts) {
      const name = classes[label]!;
      const { chosen, tried } = await select(label, count, {
        ...planning,
        seed: flags.seed,
        batch: config.batch,
        truncation: flags.truncation,
        best: d && { share: flags.keepBest!, d },
        confident: classifier && { least: flags.minConfidence!, classifier },
        onProgress: (found, looked) =>
          progress.update(plan.length + found, { class: name, rejected: rejected + looked - found }),
      });
      plan.push(
        ...chosen.map((candidate, k) => ({
          ...entry(fileOf, name, k, noiseIndex(label, candidate.i)),
          ...rounded(candidate),
        })),
      );
      rejected += tried - chosen.length;
      if (chosen.length < count) short.push(`${chosen.length} of "${name}" after ${tried} tries`);
    }
  } finally {
    progress.stop();
    d?.destroy();
    classifier?.destroy();
  }
  return { plan, rejected, short };
}

const entry = (fileOf: ReturnType<typeof fileNames>, label: string, k: number, index: number): Entry => ({
  file: fileOf(label, k),
  label,
  index,
});

export function openDiscriminator(e: Engine, checkpoint: Checkpoint): Network<Discriminator> {
  const d = createDiscriminator(e, checkpoint.config, checkpoint.classes.length, { trained: false });
  loadNetwork(checkpoint, 'd.', d);
  return d;
}

/** The feature network that is kept with the run, else one that is trained now, and kept. */
async function openClassifier({ engine, checkpoint, flags, signal }: Planning): Promise<Network<FeatureNet>> {
  const { config, classes } = checkpoint;
  const { run = '.' } = flags;
  const isOfThese = (info: { readonly classes: readonly string[] }): boolean =>
    isDeepStrictEqual(info.classes, classes);
  const known = await Promise.resolve()
    .then(() => readFeatures(engine, run, config, isOfThese))
    .catch(() => undefined);
  if (known) return known.network;
  const dataset = await datasetOf(run, flags.dataset, config.fold);
  checkClasses(run, checkpoint, dataset);
  const train = await openImages(dataset, 'train', { ...config, signal });
  const validation = await openImages(dataset, 'validation', { ...config, signal });
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    const { network } = await openFeatures({
      engine,
      run,
      dataset,
      train,
      validation,
      signal,
      onEpoch: ({ epoch }, total) => {
        progress ??= createProgress({ title: 'classifier', total, unit: 'epochs' });
        progress.update(epoch);
      },
    });
    return network;
  } finally {
    progress?.stop();
  }
}

async function datasetOf(run: string, given: string | undefined, fold: number | null): Promise<Dataset> {
  try {
    return await readDataset(given ?? ownDataset(run), { fold });
  } catch (error) {
    throw new UserError(`--min-confidence needs a classifier, and "${run}" keeps none. ${describe(error)}`, {
      cause: error,
    });
  }
}
