/** lyrebird ablate DATASET: the same training in several variants and with several seeds, measured and compared. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { areSynthesised } from '../audio/syrinx.js';
import { type Dataset, readDataset } from '../data/read.js';
import type { Ablation } from '../io/ablation.js';
import { ablationCsv, ablationMarkdown, short } from '../io/ablationTable.js';
import { isOwnFault, UserError } from '../io/errors.js';
import { isInside, isOwnFolder, writeAtomically } from '../io/files.js';
import { withFolderLock } from '../io/lock.js';
import { createProgress, formatDuration } from '../io/progress.js';
import { ablationPage } from '../io/report/ablation.js';
import type { Engine } from '../kernel/engine.js';
import { openRuler, type Ruler } from '../train/ablation/ruler.js';
import {
  type PlannedRun,
  planRuns,
  type RunResult,
  readResult,
  samplesFile,
  stepMilliseconds,
  tabulate,
  writeResult,
} from '../train/ablation/runs.js';
import {
  type ConfiguredVariant,
  configure,
  readVariants,
  VARIANTS,
  type Variant,
  variantsFor,
} from '../train/ablation/variants.js';
import { readCheckpoint } from '../train/checkpoint.js';
import { DEFAULT_SIZE, type TrainConfig, trainConfigSchema } from '../train/config.js';
import { imagesPerClass } from './counts.js';
import { checkEarlier } from './earlier.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { neighbourCount } from './evaluate.js';
import { alone } from './interrupt.js';
import { folder, nearest, positiveInteger } from './options.js';
import { counted, reportUnread } from './prepare.js';
import { resumable } from './resume.js';
import { timeStep } from './stepBenchmark.js';
import { configFrom, type TrainFlags, train, trainOptions } from './train.js';

interface AblateFlags extends TrainFlags, DeviceFlags {
  readonly out: string;
  readonly variants?: string;
  readonly only?: readonly string[];
  readonly seeds: number;
  readonly count?: number;
  readonly k: number;
}

export function register(program: Command): void {
  trainOptions(program.command('ablate'), `that of the data set, else ${DEFAULT_SIZE}`)
    .usage('<dataset> --out <folder> [options]')
    .description(
      'Trains on the same data set in several variants, each of which differs from the training asked for (the base) in some ' +
        'settings, and with several seeds; measures what every run generates as evaluate does, and compares: means and standard ' +
        'deviations over the seeds, and differences from the base, seed by seed, with intervals. Writes ablation.html, to look ' +
        'at, ablation.md, ablation.csv and ablation.json after every run. Runs are ordinary run folders. A variant that ' +
        'diverges is a line in the table. Given again, it goes on where it stopped, and makes what was asked for since.',
    )
    .argument('<dataset>', "data set made by 'lyrebird prepare', or any folder of images with a folder for each class")
    .requiredOption('--out <folder>', "the ablation's folder", folder)
    .option('--variants <file>', 'JSON list of {"name", "what", "overrides"}, the last being fields of config.json')
    .option('--only <names...>', 'only these of the variants, and the base')
    .option('--seeds <n>', 'runs of each variant; the first has --seed', positiveInteger, 3)
    .option(
      '--count <n>',
      'images to generate of each class (default: as many as there are to train on, about a thousand in all at most)',
      imagesPerClass,
    )
    .option('--k <n>', 'nearest neighbours of precision, recall, density and coverage', neighbourCount, 5)
    .addOption(adapterOption())
    .addOption(tunedOption())
    .addHelpText('after', () => `\nVariants:\n${VARIANTS.map(({ name, what }) => `  ${name}: ${what}`).join('\n')}`)
    .action(async (data: string, flags: AblateFlags) => {
      const { parameters } = await readDataset(data);
      const base = await configFrom(flags, parameters?.size);
      const dataset = await readDataset(data, { fold: base.fold });
      const known = flags.variants === undefined ? builtIn(base, flags.only) : await readVariants(flags.variants);
      const variants = configure(base, chosen(known, flags.only));
      const { out } = flags;
      if (isInside(out, data)) throw new UserError(`"${out}" lies in the data set, "${data}": choose another --out.`);
      await isOwnFolder(out, FILES.numbers);
      const seeds = Array.from({ length: flags.seeds }, (_, i) => base.seed + i);
      const runs = planRuns(out, variants, seeds);
      const leftOut = await alone(out, (signal) =>
        withFastEngine(flags, async (engine) => {
          for (const note of dataset.notes) console.error(`note: ${note}`);
          const done = await ablate({ engine, dataset, flags, variants, seeds, runs, signal });
          if (done.summary !== undefined) console.log(done.summary);
          return done.leftOut;
        }),
      );
      reportUnread(leftOut);
    });
}

const FILES = {
  numbers: 'ablation.json',
  table: 'ablation.csv',
  text: 'ablation.md',
  page: 'ablation.html',
} as const;

/** All, where some are asked for by name: then a contradiction to the base is told. */
const builtIn = (base: TrainConfig, only: readonly string[] | undefined): readonly Variant[] =>
  only ? VARIANTS : variantsFor(base);

/** Those asked for, and the base. Throws a UserError for a name that there is not. */
function chosen(variants: readonly Variant[], only: readonly string[] | undefined): readonly Variant[] {
  if (!only) return variants;
  const names = variants.map(({ name }) => name);
  for (const name of only) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    throw new UserError(`There is no variant '${name}'. There are: ${(near.length > 0 ? near : names).join(', ')}.`);
  }
  return variants.filter(({ name, overrides }) => only.includes(name) || Object.keys(overrides).length === 0);
}

interface Job {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly flags: AblateFlags;
  readonly variants: readonly ConfiguredVariant[];
  readonly seeds: readonly number[];
  readonly runs: readonly PlannedRun[];
  readonly signal: AbortSignal;
}

/** Of the noise of generated images and all draws. */
const RULER_SEED = 1;

interface Done {
  /** What to print; missing if it was stopped. */
  readonly summary?: string;
  /** Images that cannot be read. */
  readonly leftOut: number;
}

/** Makes all runs that are not done, and writes the tables after each. */
async function ablate(job: Job): Promise<Done> {
  const { flags, runs, signal } = job;
  const { out, count, k } = flags;
  const asked = { ...sharedSettings(job), count: count ?? null, k };
  const file = path.join(out, FILES.numbers);
  const earlier = { out, file, format: FORMAT, what: 'an ablation', fields: trainConfigSchema.shape };
  await checkEarlier(earlier, asked);
  if (!existsSync(path.join(out, FILES.numbers))) {
    // Before anything else is put into the folder: so it is known again however this ends.
    await writeJson(out, { format: FORMAT, complete: false, settings: asked });
  }
  const { ruler, seconds } = await open(job);
  const by = { ...ruler.images, count: count ?? null, k, seed: RULER_SEED };
  const settings = { ...asked, ...ruler.images };
  await checkEarlier(earlier, settings);
  const done = new Map<PlannedRun, RunResult>();
  for (const run of runs) {
    const result = await readResult(run, by);
    if (result) done.set(run, result);
  }
  const left = runs.filter((run) => !done.has(run));
  const clock = left.length > 0 ? await estimate(job, left, [...done.values()], seconds) : undefined;
  const tell = (): Promise<string> => writeTables(job, ruler, settings, done);
  let summary = await tell();
  for (const run of left) {
    const title = `${run.variant.name}, seed ${run.seed}`;
    console.error(`run ${runs.indexOf(run) + 1} of ${runs.length}: ${title}`);
    const result = await makeRun(job, run, ruler, by);
    if (!result) break;
    done.set(run, result);
    summary = await tell();
    console.error(`  ${describeResult(result)}; ${clock!.after(run)}`);
  }
  ruler.destroy();
  const { leftOut } = ruler;
  return signal.aborted ? { leftOut } : { summary, leftOut };
}

const FORMAT = 'lyrebird-ablation/1';

/** Of the base's training, but for what varies. */
function sharedSettings({ variants }: Job): Record<string, unknown> {
  const { seed: _, ...config } = variants[0]!.config;
  return config;
}

const writeJson = (out: string, value: object): Promise<void> =>
  writeAtomically(path.join(out, FILES.numbers), `${JSON.stringify(value, null, 1)}\n`);

/** The ruler, and the seconds that its network was trained for, if it was not there. */
async function open({ engine, dataset, flags, variants, signal }: Job): Promise<{ ruler: Ruler; seconds?: number }> {
  const begin = performance.now();
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    const ruler = await openRuler({
      engine,
      dataset,
      config: variants[0]!.config,
      folder: flags.out,
      count: flags.count,
      k: flags.k,
      seed: RULER_SEED,
      signal,
      onNote: (line) => console.error(`note: ${line}`),
      onEpoch: (epoch, total) => {
        progress ??= createProgress({ title: 'features', total, unit: 'epochs' });
        progress.update(epoch);
      },
    });
    return { ruler, ...(progress && { seconds: (performance.now() - begin) / 1000 }) };
  } finally {
    progress?.stop();
  }
}

interface Clock {
  /** Says how long the others will take, after one more run is done. */
  after(run: PlannedRun): string;
}

/**
 * Times some steps of each variant, says how long all will take, and goes on saying it. Evaluation takes about as long as
 * training the feature network did (`seconds`), or as long as it took in runs that are done.
 */
async function estimate(
  { engine, variants, signal }: Job,
  left: readonly PlannedRun[],
  done: readonly RunResult[],
  seconds: number | undefined,
): Promise<Clock> {
  const steps = new Map<string, number>();
  const progress = createProgress({ title: 'estimate', total: variants.length, unit: 'variants' });
  try {
    for (const [i, { name, config }] of variants.entries()) {
      signal.throwIfAborted();
      if (left.some(({ variant }) => variant.name === name)) steps.set(name, await timeStep(engine, config));
      progress.update(i + 1, { variant: name });
    }
  } finally {
    progress.stop();
  }
  const known = done.map((result) => result.seconds).filter((each) => each > 0);
  const evaluation = known.length > 0 ? known.reduce((sum, each) => sum + each, 0) / known.length : (seconds ?? 0);
  const secondsOf = ({ variant: { name, config } }: PlannedRun): number => config.steps * steps.get(name)! + evaluation;
  const total = left.reduce((sum, run) => sum + secondsOf(run), 0);
  const milliseconds = [...steps.values()].map((each) => Math.round(1000 * each));
  console.error(
    `${counted(left.length, 'run')} to make: about ${formatDuration(total)} (steps of ${Math.min(...milliseconds)} to ` +
      `${Math.max(...milliseconds)} ms, ${formatDuration(evaluation)} to measure each)`,
  );
  const begin = performance.now();
  let past = 0;
  return {
    after(run) {
      past += secondsOf(run);
      const spent = (performance.now() - begin) / 1000;
      return past < total ? `about ${formatDuration(((total - past) * spent) / past)} left` : 'the last';
    },
  };
}

/**
 * Trains, or goes on, measures, and keeps the result; undefined if it was stopped. Throws what is no fault of the variant: that
 * another process is at work in the run's folder, above all.
 */
const makeRun = (job: Job, run: PlannedRun, ruler: Ruler, by: RunResult['ruler']): Promise<RunResult | undefined> =>
  withFolderLock(
    run.folder,
    (line) => console.error(`note: ${line}`),
    () => trainAndMeasure(job, run, ruler, by),
  );

async function trainAndMeasure(
  { engine, dataset, flags, signal }: Job,
  run: PlannedRun,
  ruler: Ruler,
  by: RunResult['ruler'],
): Promise<RunResult | undefined> {
  const { config, folder: out } = run;
  await resumable(out, config); // throws here what is no fault of the variant
  let result: Pick<RunResult, 'measured' | 'failed' | 'seconds'>;
  try {
    const { complete } = await train(engine, dataset, config, { out, signal, tensorboard: flags.tensorboard });
    if (!complete) return undefined;
    const begin = performance.now();
    const { measured, sheet } = await ruler.measure(await readCheckpoint(out));
    await writeAtomically(samplesFile(run), sheet);
    const seconds = (performance.now() - begin) / 1000;
    result = { measured: { ...measured, stepMilliseconds: stepMilliseconds(run) }, seconds };
  } catch (error) {
    if (signal.aborted || !isOwnFault(error)) throw error;
    result = { failed: error.message, seconds: 0 };
  }
  await writeResult(run, { ...result, ruler: by });
  return readResult(run, by);
}

function describeResult({ measured, failed }: RunResult): string {
  if (!measured) return `failed: ${failed}`;
  const { frechet, ganTrain, ganTest } = measured;
  const text = (value: number | undefined): string => (value === undefined ? '-' : short(value));
  return `Frechet distance ${text(frechet)}, GAN-train ${text(ganTrain)}, GAN-test ${text(ganTest)}`;
}

/** Writes all tables of what is done; returns the text of the one to read. */
async function writeTables(
  { flags, variants, seeds, runs }: Job,
  ruler: Ruler,
  settings: Ablation['settings'],
  done: ReadonlyMap<PlannedRun, RunResult>,
): Promise<string> {
  const { out } = flags;
  const ablation: Ablation = {
    format: FORMAT,
    complete: done.size === runs.length,
    settings,
    seeds,
    classes: ruler.classes,
    counts: ruler.counts,
    heldOut: ruler.heldOut,
    variants: tabulate(
      variants,
      [...done].map(([run, result]) => ({ run, result })),
    ),
  };
  const pictures = new Map<string, Uint8Array>();
  for (const [run, { measured }] of done) {
    const { name } = run.variant;
    if (measured && !pictures.has(name) && existsSync(samplesFile(run))) {
      pictures.set(name, await readFile(samplesFile(run)));
    }
  }
  const text = ablationMarkdown(ablation);
  await writeJson(out, ablation);
  await writeAtomically(path.join(out, FILES.table), ablationCsv(ablation));
  await writeAtomically(path.join(out, FILES.text), text);
  const synthetic = areSynthesised(ablation.classes);
  const page = ablationPage(ablation, { synthetic, classes: ruler.shown, real: ruler.sheet, variants: pictures });
  await writeAtomically(path.join(out, FILES.page), page);
  return `${text}\n${path.join(out, FILES.page)}: to look at in a browser`;
}
