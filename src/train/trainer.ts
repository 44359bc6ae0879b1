/**
 * Trains a GAN on a data set, into a run's folder:
 *
 *   config.json  log.jsonl  tensorboard/  checkpoints/step-000100.safetensors  checkpoints/best.safetensors
 *   samples/real.png  samples/step-000100.png
 *
 * A run that was stopped goes on from its newest checkpoint and computes what it would have computed.
 */
import path from 'node:path';
import { noiseLabel } from '../audio/places.js';
import { noiseBank } from '../data/augment.js';
import { createLoader, type LabelledImages, type Loader } from '../data/loader.js';
import type { Part } from '../data/parts.js';
import type { Dataset } from '../data/read.js';
import { describeSkipped, type ImageStore, openImages, sourceOf } from '../data/store.js';
import { DeviceError } from '../device/errors.js';
import { UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { type LogRecord, readLog } from '../io/log.js';
import { openRunLog, type RunLog } from '../io/runLog.js';
import { REAL_SHEET, removeSheetsAfter, sheetName } from '../io/samples.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { iteratePowers } from '../nn/spectralNorm.js';
import {
  type Checkpoint,
  type CheckpointInfo,
  loadGan,
  readCheckpoint,
  saveBest,
  saveCheckpoint,
} from './checkpoint.js';
import { checkpointFile } from './checkpointFiles.js';
import type { TrainConfig } from './config.js';
import { createGauge, type DistanceGauge } from './distance.js';
import { imageSpread, imageSpreadOfSome, LOOKED_AT } from './diversity.js';
import { drawBatch } from './draw.js';
import { createFlight } from './flight.js';
import { createGan, destroyGan, namedWeights } from './gan.js';
import { createGanStep, type Gan, type GanStep, LOSS_NAMES, LOSS_SCALE_NAMES } from './ganStep.js';
import { judgeImages } from './judge.js';
import { normsOf } from './norms.js';
import { precisionNote } from './precision.js';
import { type Rates, ratesOf } from './rates.js';
import { generateImages, realSheet, refreshStatistics, sampleSheet } from './sample.js';
import { tuningNote } from './tuning.js';
import { createWatch, type Watch } from './watch.js';

type Losses = Readonly<Record<(typeof LOSS_NAMES)[number], number>>;

export interface TrainOptions {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly config: TrainConfig;
  /** The run's folder. */
  readonly out: string;
  readonly synthetic: boolean;
  /** Where to go on from. */
  readonly checkpoint?: Checkpoint;
  /** Whether files for TensorBoard are written, too. Default true. */
  readonly tensorboard?: boolean;
  /** `latest` has the newest value of everything in the log. */
  readonly onStep?: (step: number, latest: LogRecord) => void;
  /** Told while the images are opened, before the first step. */
  readonly onOpen?: (done: number, total: number) => void;
  readonly onNote?: (line: string) => void;
  /** Saves and stops after the step in hand. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly step: number;
  /** False if it was stopped. */
  readonly complete: boolean;
  /** The newest checkpoint. */
  readonly checkpoint: string;
  /** The step of the best one; undefined if there was nothing to do. */
  readonly best?: number | undefined;
  /** Images that cannot be read. */
  readonly leftOut: number;
}

/**
 * Trains. Throws a UserError if a loss is no longer a number or nothing more is learnt, a disk is full, or the data set does not fit: it lacks a class,
 * or is not the one that the run began with. What was computed by then is saved if that is possible, and it says where.
 */
export async function trainGan(options: TrainOptions): Promise<TrainResult> {
  const { engine: e, dataset, config, out, checkpoint } = options;
  const train = await open(options, 'train');
  const test = await open(options, 'test');
  const skipped = [...train.skipped, ...test.skipped];
  for (const line of describeSkipped(dataset, skipped)) options.onNote?.(line);
  checkTrainable(dataset, train);
  if (checkpoint && checkpoint.data !== train.hash) {
    throw new UserError(
      `"${out}" was trained on other images than those which "${dataset.dir}" holds now. Choose another --out, or bring ` +
        'the recordings or pictures back that it began with.',
    );
  }
  const start = checkpoint?.step ?? 0;
  const leftOut = skipped.length;
  if (checkpoint && start >= config.steps) {
    return { step: start, complete: true, checkpoint: checkpoint.file, leftOut };
  }

  const note = precisionNote(e, config.precision, checkpoint?.config.precision);
  if (note) options.onNote?.(note);
  const { batch, seed, balanced } = config;
  const loader = createLoader({ source: train, batch, seed, balanced });
  const gan = createGan(e, config, dataset.classes.length);
  if (checkpoint) {
    loadGan(e, checkpoint, gan);
    const otherTuning = tuningNote(e, checkpoint.tuning);
    if (otherTuning) options.onNote?.(otherTuning);
  } else if (config.spectralWarmUp > 0) {
    iteratePowers(e, Object.values(gan.d.module.normalized), config.spectralWarmUp);
  }
  await writeAtomically(path.join(out, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  await removeSheetsAfter(out, start);
  const log = openRunLog(out, { resumeAtStep: start, tensorboard: options.tensorboard ?? true });
  const run: Run = {
    ...options,
    data: train.hash,
    gan,
    loader,
    rates: ratesOf(config),
    log,
    latest: {},
    train,
    test,
    begin: performance.now(),
    gauge: await createGauge({ engine: e, train, classes: dataset.classes.length, seed, batch }),
    watch: config.watch ? watchFrom(path.join(out, 'log.jsonl'), config) : undefined,
    spread: await imageSpreadOfSome(train, dataset.classes.length),
    best: checkpoint && (await bestSoFar(options)),
    done: start,
    refreshed: -1,
    savedAt: checkpoint ? { step: start, file: checkpoint.file } : undefined,
  };
  try {
    return { ...(await runSteps(run)), leftOut };
  } catch (error) {
    throw await afterFailure(run, error);
  } finally {
    log.close();
    destroyGan(e, gan);
  }
}

/** A watch that has seen what a run's log holds so far. */
function watchFrom(log: string, config: TrainConfig): Watch {
  const watch = createWatch(config);
  for (const entry of readLog(log)) watch.look(entry);
  return watch;
}

const open = ({ dataset, config, onOpen, signal }: TrainOptions, part: Part): Promise<ImageStore> =>
  openImages(dataset, part, { ...config, ...(onOpen && { onProgress: onOpen }), ...(signal && { signal }) });

/** Throws a UserError unless there are images of every class to train on. */
export function checkTrainable({ dir, classes }: Dataset, { labels, skipped }: ImageStore): void {
  const lacking = classes.filter((_, i) => !labels.includes(i)).map((label) => `"${label}"`);
  if (lacking.length === 0) return;
  const unread = skipped.length > 0 ? ` (${skipped.length} of its images cannot be read)` : '';
  throw new UserError(
    `"${dir}" holds no images of ${lacking.join(', ')} to train on${unread}: add some, or take the class out.`,
  );
}

interface Run extends TrainOptions {
  readonly data: string;
  readonly gan: Gan;
  readonly loader: Loader;
  readonly rates: Rates;
  readonly log: RunLog;
  /** The newest value of everything in the log. */
  readonly latest: LogRecord;
  readonly train: ImageStore;
  readonly test: ImageStore;
  readonly begin: number;
  readonly gauge: DistanceGauge;
  readonly watch: Watch | undefined;
  /** Of training images, undefined or 0 where they do not differ. */
  readonly spread: number | undefined;
  /** Which step's images came nearest to the training images so far: its checkpoint is the best. */
  best: { readonly step: number; readonly distance: number } | undefined;
  /** Steps that both networks have made. */
  done: number;
  /** Of these, those that the statistics of the average are of. */
  refreshed: number;
  savedAt: { readonly step: number; readonly file: string } | undefined;
}

async function runSteps(run: Run): Promise<Omit<TrainResult, 'leftOut'>> {
  const { engine: e, config, gan, dataset } = run;
  const noise = await backgrounds(run);
  const step = createGanStep(e, gan, { ...config, rangeDb: dataset.parameters?.rangeDb, noise }, config.batch);
  try {
    await takeSteps(run, step);
    // Before the checkpoint: a run that is killed in between still goes on, and writes it again.
    tell(run, {
      step: run.done,
      adapter: e.gpu.info.name,
      peakGpuBytes: e.memory().peak,
      parametersG: gan.g.parameterCount,
      parametersD: gan.d.parameterCount,
    });
    const checkpoint = await save(run);
    return { step: run.done, complete: run.done >= config.steps, checkpoint, best: run.best?.step };
  } finally {
    step.destroy();
    if (noise) e.release(noise);
  }
}

/** To the last step, or until it is stopped; the last checkpoint is the caller's. */
async function takeSteps(run: Run, step: GanStep): Promise<void> {
  const { engine: e, config, dataset } = run;
  const flight = createFlight(e, (t, losses) => reportLosses(run, t, losses));
  if (run.done === 0) await writeRealSheet(run);
  while (run.done < config.steps && !run.signal?.aborted) {
    const reals = await realBatches(run);
    const rates = { g: run.rates.g(run.done), d: run.rates.d(run.done) };
    const losses = e.scope(() => step.run(drawBatch(e, config, dataset.classes.length, run.done, reals), rates));
    const t = ++run.done;
    await flight.launch(t, losses);
    if (t % config.sampleEvery === 0 || t === config.steps) {
      await flight.settle();
      await writeSamples(run, t);
    }
    const isDue = t % config.checkpointEvery === 0 || (config.keepEvery !== null && t % config.keepEvery === 0);
    if (isDue && t < config.steps) {
      await flight.settle();
      // What looks as if it had gone wrong takes no good checkpoint's place.
      if (!run.watch?.isUneasy) await save(run);
    }
  }
  await flight.settle();
}

/** The real images of the step in hand: a batch for each update of the discriminator. */
async function realBatches({ loader, config, done }: Run): Promise<LabelledImages[]> {
  const count = config.discriminatorSteps;
  const batches: LabelledImages[] = [];
  for (let i = 0; i < count; i++) batches.push(await loader.batch(count * done + i));
  return batches;
}

/** Images of the class noise for augmentation, if it wants them; says so if there are none. */
async function backgrounds({ engine: e, config, dataset, train, onNote }: Run): Promise<Tensor | undefined> {
  if (config.augment.background === 0) return undefined;
  const { channels, size } = config;
  const bank = await noiseBank(train, dataset.classes.indexOf(noiseLabel));
  if (bank) return e.upload(bank.levels, [bank.count, channels, size, size]);
  onNote?.(`There is no class "${noiseLabel}" among the training images: no background is mixed in.`);
  return undefined;
}

/** Writes a line of the log. Throws if it shows that the run learns nothing more. */
function tell({ log, latest, watch }: Run, record: LogRecord): void {
  log.write(record);
  Object.assign(latest, record);
  const fault = watch?.look(record);
  if (fault) throw new Diverged(fault);
}

function reportLosses(run: Run, step: number, values: Float32Array): void {
  const losses = Object.fromEntries(LOSS_NAMES.map((name, i) => [name, values[i]!])) as Losses;
  const scales = Object.fromEntries(LOSS_SCALE_NAMES.map((name, i) => [name, values[LOSS_NAMES.length + i]]));
  if (!values.every(Number.isFinite)) {
    const orInSingle = run.gan.lossScaleD ? ', with --precision f32' : '';
    throw new Diverged(
      `Training diverged: at step ${step} a loss is no longer a number (${JSON.stringify(losses)}). Train again with a ` +
        `lower --learning-rate${orInSingle} or another --seed, into another --out.`,
    );
  }
  const seconds = (performance.now() - run.begin) / 1000;
  tell(run, {
    step,
    seconds,
    lossD: losses.sourceD + losses.classD,
    lossG: losses.sourceG + losses.classG,
    ...losses,
    ...scales,
    learningRateG: run.rates.g(step - 1),
    learningRateD: run.rates.d(step - 1),
    loaderWait: run.loader.waited() / 1000,
  });
  run.onStep?.(step, run.latest);
}

/** Gives the average, if there is one, the statistics of its weights as they are now: before it makes images or is saved. */
function refreshAverage(run: Run): void {
  if (run.gan.ema && run.refreshed !== run.done) refreshStatistics(run.engine, run.gan.ema, run.config);
  run.refreshed = run.done;
}

/** What samples are to look like. */
async function writeRealSheet({ out, train, dataset, synthetic, log }: Run): Promise<void> {
  const title = synthetic ? 'synthesised recordings' : 'real';
  const sheet = await realSheet(train, dataset.classes, title);
  await writeAtomically(path.join(out, 'samples', REAL_SHEET), sheet);
  await log.image(0, 'samples/real', sheet);
}

/** The sample sheet, and how well the discriminator does by now. */
async function writeSamples(run: Run, step: number): Promise<void> {
  const { engine: e, config, gan, dataset, out, test, log } = run;
  const { seed, batch, size } = config;
  const norms = await normsOf(e, gan);
  refreshAverage(run);
  const sheet = await sampleSheet(e, gan.ema ?? gan.g, dataset.classes, { seed, batch, size, title: `step ${step}` });
  await writeAtomically(path.join(out, 'samples', sheetName(step)), sheet);
  await log.image(step, 'samples/synthetic', sheet);
  await log.histograms(step, () => namedWeights(gan));
  const classes = dataset.classes.length;
  const labels = Int32Array.from({ length: LOOKED_AT * classes }, (_, i) => i % classes);
  const fakes = await generateImages(e, gan.g, labels, { seed: seed + 1, batch });
  const made = sourceOf(fakes, labels, size);
  const fake = await judgeImages(e, gan.d, made, batch);
  const real = await judgeImages(e, gan.d, test, batch);
  const spread = await imageSpread(made, classes);
  tell(run, {
    step,
    heldOutAccuracy: real.total > 0 ? real.correct / real.total : undefined,
    syntheticAccuracy: fake.correct / fake.total,
    accReal: real.total > 0 ? real.takenForReal : undefined,
    accFake: 1 - fake.takenForReal,
    kernelDistance: await judge(run),
    diversity: run.spread && spread !== undefined ? spread / run.spread : undefined,
    ...norms,
    gpuBytes: e.memory().bytes,
    gpuAllocations: e.memory().allocations,
  });
}

/** The distance of the images that are made now; if none were nearer, the networks are kept as the best. */
async function judge(run: Run): Promise<number | undefined> {
  const { engine: e, out, gan, gauge, best, done: step } = run;
  const distance = await gauge.measure(gan.ema ?? gan.g);
  if (distance !== undefined && !run.watch?.isUneasy && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
    await saveBest(e, path.join(out, 'checkpoints'), gan, { ...infoOf(run), kernelDistance: distance });
    run.best = { step, distance };
  }
  return distance;
}

/** The best checkpoint that a run has which goes on. One that is damaged will be replaced. */
async function bestSoFar({ out, onNote }: TrainOptions): Promise<Run['best']> {
  const file = await checkpointFile(out, 'best').catch(() => undefined); // of before there was a best one
  if (file === undefined) return undefined;
  try {
    const { step, kernelDistance: distance } = await readCheckpoint(file);
    return distance === undefined ? undefined : { step, distance };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    onNote?.(`${error.message} The best one from now on takes its place.`);
    return undefined;
  }
}

function infoOf({ engine, config, dataset, synthetic, data, done: step }: Run): CheckpointInfo {
  const { classes, parameters, sampleRate } = dataset;
  const shown = parameters && sampleRate ? { parameters, sampleRate } : null;
  return { step, config, classes, synthetic, data, tuning: engine.tuning.id, shown };
}

/** Saves the networks as they are now, unless that is done already. Returns the checkpoint's file. */
async function save(run: Run): Promise<string> {
  const { engine: e, out, gan, done: step } = run;
  if (run.savedAt?.step !== step) {
    refreshAverage(run);
    run.savedAt = { step, file: await saveCheckpoint(e, path.join(out, 'checkpoints'), gan, infoOf(run)) };
  }
  return run.savedAt.file;
}

/** A loss is no longer a number, or the watch has found a fault: the networks are not worth saving. */
class Diverged extends UserError {}

/** What to throw for an error: the same, and where that is which was computed before. */
async function afterFailure(run: Run, error: unknown): Promise<unknown> {
  const isOfUser = error instanceof UserError;
  if (!isOfUser && !(error instanceof DeviceError)) return error;
  // A sheet of samples or the log could not be written: the networks are as good as ever.
  if (isOfUser && !(error instanceof Diverged)) await save(run).catch(() => undefined);
  if (!run.savedAt) return error;
  const kept = `${error.message} Step ${run.savedAt.step} is saved: "${run.savedAt.file}".`;
  return isOfUser ? new UserError(kept, { cause: error }) : new DeviceError(kept, { cause: error });
}
