/**
 * Makes what is missing of an experiment: with every fold and seed a generator, the images that it makes, and classifiers of
 * mixes of real images with those. What was stopped goes on from its checkpoint. What diverges is kept as failed, and the rest
 * goes on.
 */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Dataset } from '../../data/read.js';
import { type ImageSource, type ImageStore, openImages } from '../../data/store.js';
import { isOwnFault, UserError } from '../../io/errors.js';
import type { Engine } from '../../kernel/engine.js';
import { readCheckpoint } from '../../train/checkpoint.js';
import { BEST, latestCheckpoint, prune } from '../../train/checkpointFiles.js';
import type { TrainConfig } from '../../train/config.js';
import { countsOf, generateSource } from '../../train/kinds.js';
import { trainGan } from '../../train/trainer.js';
import type { ClassifierRunConfig } from '../config.js';
import { CHECKPOINT, openModel, readModel } from '../files.js';
import { probabilitiesOf } from '../judge.js';
import { type ClassifierResults, OtherClassifierError, runClassifier } from '../run.js';
import { classifierConfig, type ExperimentConfig, ganConfig, stepsOf } from './config.js';
import { type Asked, type MemberRecord, type MemberResult, readMember, writeMember } from './member.js';
import { chosenOf, generatedFor, sourceOfChosen, takenOf } from './mixes.js';
import { type Folded, type PlannedClassifier, type Round, testedBy } from './plan.js';

export interface ExperimentRun {
  readonly engine: Engine;
  readonly folded: Folded;
  readonly config: ExperimentConfig;
  readonly rounds: readonly Round[];
  /** SHA-256 of the data set's images: what is done on others is done anew. */
  readonly data: string;
  readonly synthetic: boolean;
  readonly signal: AbortSignal;
  readonly onNote?: (line: string) => void;
  /** Told while a member is made. */
  readonly onStep?: (member: Member, step: number, steps: number) => void;
}

/** What takes time: a generator, or a classifier of it. */
export interface Member {
  readonly round: Round;
  /** Missing of the generator. */
  readonly classifier?: PlannedClassifier;
}

/** What is known of members, by their folders. */
export type Done = Map<string, MemberRecord>;

export const folderOf = ({ round, classifier }: Member): string => (classifier ?? round).folder;

/** Of a round, the generator first. */
export const membersOf = (round: Round): Member[] => [
  { round },
  ...round.classifiers.map((classifier) => ({ round, classifier })),
];

/** A round and what it works on. */
interface Bench extends ExperimentRun {
  readonly round: Round;
  readonly dataset: Dataset;
  /** Images to train on, of each class. */
  readonly training: readonly number[];
}

const needsGenerator = ({ arm }: PlannedClassifier): boolean => arm.mix.synthetic !== 0;

/** Of all rounds: what is done already. */
export async function readDone(run: ExperimentRun): Promise<Done> {
  const done: Done = new Map();
  for (const round of run.rounds) {
    const bench = benchOf(run, round);
    for (const member of membersOf(round)) {
      const record = await readMember(folderOf(member), askedOf(bench, member));
      if (record) done.set(folderOf(member), record);
    }
  }
  return done;
}

/** Makes a round's members that are not `done`, and tells of each. False if it was stopped. */
export async function runRound(
  run: ExperimentRun,
  round: Round,
  done: Done,
  onDone: (member: Member, record: MemberRecord) => Promise<void>,
): Promise<boolean> {
  const bench = benchOf(run, round);
  const finish = async (member: Member, record: MemberRecord): Promise<void> => {
    await writeMember(folderOf(member), askedOf(bench, member), record);
    // Not before it is known to be done: killed in between, it would be trained again. The model stays.
    if (record.result) await rm(path.join(folderOf(member), CHECKPOINT), { force: true });
    done.set(folderOf(member), record);
    await onDone(member, record);
  };
  const left = round.classifiers.filter(({ folder }) => !done.has(folder));
  if (left.some(needsGenerator) && !done.has(round.folder)) {
    const record = await orFailed(run, () => trainGenerator(bench));
    if (!record) return false;
    await finish({ round }, record);
  }
  let pool: ImageSource | undefined;
  for (const classifier of left) {
    const failed = failureBefore(bench, classifier, done);
    const record = failed
      ? { failed }
      : await orFailed(run, async () => {
          if (needsGenerator(classifier)) pool ??= await generate(bench);
          return trainOn(bench, classifier, pool);
        });
    if (!record) return false;
    await finish({ round, classifier }, record);
  }
  return true;
}

/** The same network, trained on real images alone. */
const baseOf = ({ round, config }: Bench, { arm: { network, dynamic } }: PlannedClassifier): PlannedClassifier =>
  round.classifiers.find(
    ({ arm }) => arm.network === network && arm.dynamic === dynamic && arm.mix === config.mixes[0],
  )!;

/** Why a classifier cannot be trained: what it needs failed. */
function failureBefore(bench: Bench, classifier: PlannedClassifier, done: Done): string | undefined {
  const generator = needsGenerator(classifier) ? done.get(bench.round.folder)?.failed : undefined;
  if (generator !== undefined) return `the generator failed: ${generator}`;
  const base = classifier.arm.mix.candidates > 1 ? done.get(baseOf(bench, classifier).folder)?.failed : undefined;
  return base === undefined ? undefined : `the network trained on real images alone failed: ${base}`;
}

/** What `make` gives, or why it failed if that lies in the member; undefined if it was stopped. */
async function orFailed(
  { signal }: ExperimentRun,
  make: () => Promise<MemberRecord | undefined>,
): Promise<MemberRecord | undefined> {
  if (signal.aborted) return undefined;
  try {
    return await make();
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!isOwnFault(error)) throw error;
    return { failed: error.message };
  }
}

function benchOf(run: ExperimentRun, round: Round): Bench {
  const dataset = testedBy(run.folded, round.fold);
  const labels = dataset.images.filter(({ split }) => split === 'train').map(({ label }) => label);
  return {
    ...run,
    round,
    dataset,
    training: dataset.classes.map((name) => labels.filter((each) => each === name).length),
  };
}

const placeOf = ({ folded, round: { fold, seed } }: Bench) => ({ fold: folded.own ? fold : null, seed });

const generatorOf = (bench: Bench): TrainConfig => ganConfig(bench.config, placeOf(bench), 'The experiment');

/** Trained for about as many updates (whole epochs), whatever it is trained on. */
function configOf(bench: Bench, { arm: { network, dynamic, mix } }: PlannedClassifier): ClassifierRunConfig {
  const { config, training } = bench;
  const { augment } = mix;
  const place = { ...placeOf(bench), network, dynamic, augment };
  const { batch } = classifierConfig(config, { ...place, epochs: 1 }, 'The experiment');
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const images = (mix.real ? sum(training) : 0) + sum(takenOf(mix, training));
  const perEpoch = Math.ceil(images / batch);
  const epochs = Math.max(1, Math.round(stepsOf(config, network) / perEpoch));
  const made = classifierConfig(config, { ...place, epochs }, 'The experiment');
  // As many updates of warming up as on real images alone.
  return { ...made, warmUp: Math.min(epochs, (made.warmUp * Math.ceil(sum(training) / batch)) / perEpoch) };
}

function askedOf(bench: Bench, { classifier }: Member): Asked {
  const { data, round } = bench;
  const common = { data, fold: round.fold };
  if (!classifier) return { ...common, config: generatorOf(bench) };
  const generator = needsGenerator(classifier) ? generatorOf(bench) : null;
  const { real, synthetic, candidates } = classifier.arm.mix;
  return { ...common, config: configOf(bench, classifier), mix: { real, synthetic, candidates }, generator };
}

/** Goes on where a run stopped; of its checkpoints the newest stays. */
async function trainGenerator(bench: Bench): Promise<MemberRecord | undefined> {
  const { engine, dataset, round, synthetic, signal, onNote, onStep } = bench;
  const { folder: out } = round;
  const config = generatorOf(bench);
  const checkpoint = (await latestCheckpoint(out)) === undefined ? undefined : await readCheckpoint(out);
  const result = await trainGan({
    ...{ engine, dataset, config, out, synthetic, signal, tensorboard: false },
    ...(checkpoint && { checkpoint }),
    ...(onNote && { onNote }),
    onStep: (step) => onStep?.({ round }, step, config.steps),
  });
  if (!result.complete) return undefined;
  const checkpoints = path.join(out, 'checkpoints');
  await prune(checkpoints, null, 1);
  await rm(path.join(checkpoints, BEST), { force: true });
  return {};
}

/** As many as any mix of the experiment needs: always the same ones. */
async function generate({ engine, round, config, training, signal }: Bench): Promise<ImageSource> {
  const checkpoint = await readCheckpoint(round.folder);
  return generateSource({
    ...{ engine, checkpoint, signal, seed: round.seed },
    counts: generatedFor(config.mixes, training),
  });
}

async function trainOn(
  bench: Bench,
  classifier: PlannedClassifier,
  pool: ImageSource | undefined,
): Promise<MemberRecord | undefined> {
  const { engine, dataset, round, synthetic, signal, onNote, onStep } = bench;
  const { arm, folder: out } = classifier;
  const extra = pool && needsGenerator(classifier) ? await choose(bench, classifier, pool) : undefined;
  const run = {
    ...{ engine, dataset, out, synthetic, signal, extra, config: configOf(bench, classifier) },
    ...{ useTraining: arm.mix.real, tensorboard: false },
    ...(onNote && { onNote }),
    onStep: (step: number, steps: number) => onStep?.({ round, classifier }, step, steps),
  };
  const results = await runClassifier(run).catch(async (error: unknown) => {
    if (!(error instanceof OtherClassifierError)) throw error;
    // What stopped there saw other images: of a generator that ran elsewhere, say. It is begun anew.
    await rm(out, { recursive: true, force: true });
    return runClassifier(run);
  });
  if (!results) return undefined;
  return { result: resultOf(results) };
}

async function choose(
  bench: Bench,
  classifier: PlannedClassifier,
  pool: ImageSource,
): Promise<ImageSource | undefined> {
  const { engine, training } = bench;
  const { mix } = classifier.arm;
  if (mix.candidates === 1) return sourceOfChosen(pool, chosenOf(pool.labels, mix, training));
  const judge = openModel(engine, readModel(baseOf(bench, classifier).folder));
  try {
    const probabilities = await probabilitiesOf(engine, judge, pool, training.length);
    return sourceOfChosen(pool, chosenOf(pool.labels, mix, training, probabilities));
  } finally {
    judge.destroy();
  }
}

function resultOf({ test }: ClassifierResults): MemberResult {
  if (!test) throw new UserError('No recording of this fold can be tested on: all of them train.');
  const { windows, recordings, chance, tally } = test;
  return {
    accuracy: windows.accuracy,
    recordings: recordings.accuracy,
    f1: windows.macro.f1,
    chance,
    tally: tally.map(({ windows: count, right }) => ({ windows: count, right })),
  };
}

/**
 * SHA-256 of all images, and of what decides in which parts they are (their files, recordings and folds); and which of them
 * cannot be read.
 */
export async function hashOfImages(
  folded: Folded,
  config: ExperimentConfig,
  signal: AbortSignal,
): Promise<{ data: string; skipped: ImageStore['skipped'] }> {
  const { size, channels, fit } = config;
  const all = {
    ...folded.dataset,
    images: folded.dataset.images.map((image) => ({ ...image, split: 'train' as const })),
  };
  const { hash, labels, skipped } = await openImages(all, 'train', { size, channels, fit, signal });
  const counts = countsOf(labels, all.classes.length);
  const empty = all.classes.filter((_, i) => counts[i] === 0);
  if (empty.length > 0) throw new UserError(`"${all.dir}" has no image of ${empty.join(', ')} that can be read.`);
  const places = folded.dataset.images.map(({ file, label, source, recording, recordist, split, fold }) => {
    const from = source === undefined ? [null, recording] : [source];
    return [file, label, ...from, recordist, split, fold];
  });
  return { data: createHash('sha256').update(hash).update(JSON.stringify(places)).digest('hex'), skipped };
}
