/**
 * Trains a GAN on a data set, into a run's folder:
 *
 *   config.json  log.jsonl  checkpoints/step-000100.safetensors  samples/step-000100.png
 *
 * A run that was stopped goes on from its newest checkpoint and computes what it would have computed.
 */
import path from 'node:path';
import { createLoader, type Loader, loadSplit } from '../data/loader.js';
import type { Dataset } from '../data/read.js';
import { DeviceError } from '../device/errors.js';
import { UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { type Log, openLog } from '../io/log.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { randomNormal } from '../ops/random.js';
import { uniform } from '../reference/random.js';
import { type Checkpoint, loadGan, saveCheckpoint } from './checkpoint.js';
import type { TrainConfig } from './config.js';
import { evaluate } from './evaluate.js';
import { createGan } from './gan.js';
import { createGanStep, type Gan, LOSS_NAMES } from './ganStep.js';
import { generateImages, sampleSheet } from './sample.js';

/** Streams of the seed: four a step, above those of the weights. */
const STEP_STREAM = 2 ** 24;

/** Steps that may be under way on the GPU while the next one is recorded. */
const STEPS_IN_FLIGHT = 2;

export type Losses = Readonly<Record<(typeof LOSS_NAMES)[number], number>>;

export interface TrainOptions {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly config: TrainConfig;
  /** The run's folder. */
  readonly out: string;
  readonly synthetic: boolean;
  /** Where to go on from. */
  readonly checkpoint?: Checkpoint;
  readonly onStep?: (step: number, losses: Losses) => void;
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
}

/** Trains. Throws a UserError if a loss is no longer a number (the last checkpoint stays), or if a disk is full. */
export async function trainGan(options: TrainOptions): Promise<TrainResult> {
  const { engine: e, dataset, config, out, checkpoint } = options;
  const classes = dataset.classes.length;
  const train = await loadSplit(dataset, 'train', config.size);
  const test = await loadSplit(dataset, 'test', config.size);
  const loader = createLoader({ images: train.images, labels: train.labels, batch: config.batch, seed: config.seed });
  const gan = createGan(e, config, classes);
  if (checkpoint) {
    loadGan(e, checkpoint, gan);
    loader.restore(checkpoint.loader);
  }
  const start = checkpoint?.step ?? 0;
  await writeAtomically(path.join(out, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const log = openLog(path.join(out, 'log.jsonl'), { resumeAtStep: start });
  const run: Run = {
    ...options,
    gan,
    loader,
    log,
    test,
    begin: performance.now(),
    savedAt: checkpoint ? { step: start, file: checkpoint.file } : undefined,
  };
  try {
    return await runSteps(run, start);
  } finally {
    log.close();
  }
}

interface Run extends TrainOptions {
  readonly gan: Gan;
  readonly loader: Loader;
  readonly log: Log;
  readonly test: { readonly images: Float32Array; readonly labels: Int32Array };
  readonly begin: number;
  savedAt: { readonly step: number; readonly file: string } | undefined;
}

async function runSteps(run: Run, start: number): Promise<TrainResult> {
  const { engine: e, config, gan, loader } = run;
  const step = createGanStep(e, gan, config, config.batch);
  const flying: { step: number; losses: Tensor }[] = [];
  const land = async (): Promise<void> => {
    const first = flying.shift();
    if (first) await reportLosses(run, first.step, first.losses);
  };
  const settle = async (): Promise<void> => {
    while (flying.length > 0) await land();
  };
  let t = start;
  for (; t < config.steps && !run.signal?.aborted; ) {
    const losses = e.scope(() => step.run(drawBatch(run, t)));
    t++;
    flying.push({ step: t, losses });
    if (flying.length > STEPS_IN_FLIGHT) await land();
    if (t % config.sampleEvery === 0 || t === config.steps) {
      await settle();
      await writeSamples(run, t);
    }
    if (t % config.checkpointEvery === 0) {
      await settle();
      await save(run, t, loader);
    }
  }
  await settle();
  if (run.savedAt?.step !== t) await save(run, t, loader);
  step.destroy();
  run.log.write({
    step: t,
    adapter: e.gpu.info.name,
    peakGpuBytes: e.memory().peak,
    parametersG: gan.g.parameterCount,
    parametersD: gan.d.parameterCount,
  });
  return {
    step: t,
    complete: t >= config.steps,
    checkpoint: run.savedAt!.file,
  };
}

/** Everything random about step t comes from the seed and t alone, so a resumed run draws the same. */
function drawBatch({ engine: e, config, dataset, loader }: Run, t: number) {
  const { batch, latent, seed } = config;
  const stream = STEP_STREAM + 4 * t;
  const classes = dataset.classes.length;
  const randomLabels = (s: number): Int32Array =>
    Int32Array.from(uniform(seed, s, batch), (u) => Math.floor(u * classes));
  const { images, labels } = loader.next();
  return {
    images,
    labels,
    zd: randomNormal(e, [batch, latent], { seed, stream }),
    zdLabels: randomLabels(stream + 1),
    zg: randomNormal(e, [batch, latent], { seed, stream: stream + 2 }),
    zgLabels: randomLabels(stream + 3),
  };
}

async function reportLosses(run: Run, step: number, tensor: Tensor): Promise<void> {
  const values = await run.engine.read(tensor);
  run.engine.release(tensor);
  const losses = Object.fromEntries(LOSS_NAMES.map((name, i) => [name, values[i]!])) as Losses;
  if (!values.every(Number.isFinite)) {
    const last = run.savedAt ? `The checkpoint of step ${run.savedAt.step} is kept (${run.savedAt.file}).` : '';
    throw new UserError(
      `Training diverged: at step ${step} a loss is no longer a number (${JSON.stringify(losses)}). ${last} ` +
        'Start again with lower learning rates (--learning-rate), or with another seed.',
    );
  }
  const seconds = (performance.now() - run.begin) / 1000;
  run.log.write({
    step,
    seconds,
    lossD: losses.sourceD + losses.classD,
    lossG: losses.sourceG + losses.classG,
    ...losses,
  });
  run.onStep?.(step, losses);
}

/** The sample sheet, and how well the discriminator does by now. */
async function writeSamples(run: Run, step: number): Promise<void> {
  const { engine: e, config, gan, dataset, out, test } = run;
  const { seed, batch, size } = config;
  const sheet = await sampleSheet(e, gan.g, dataset.classes, { seed, batch, size, title: `step ${step}` });
  await writeAtomically(path.join(out, 'samples', `step-${String(step).padStart(6, '0')}.png`), sheet);
  const labels = Int32Array.from({ length: 10 * dataset.classes.length }, (_, i) => i % dataset.classes.length);
  const fakes = await generateImages(e, gan.g, labels, { seed: seed + 1, batch });
  const fake = await evaluate(e, gan.d, fakes, labels, batch);
  const real = await evaluate(e, gan.d, test.images, test.labels, batch);
  run.log.write({
    step,
    heldOutAccuracy: real.total > 0 ? real.correct / real.total : undefined,
    syntheticAccuracy: fake.correct / fake.total,
    accReal: real.total > 0 ? real.takenForReal : undefined,
    accFake: 1 - fake.takenForReal,
    gpuBytes: e.memory().bytes,
    gpuAllocations: e.memory().allocations,
  });
}

async function save(run: Run, step: number, loader: Loader): Promise<void> {
  const { engine: e, out, gan, config, dataset, synthetic } = run;
  const info = { step, config, classes: dataset.classes, synthetic, loader: loader.state() };
  try {
    run.savedAt = { step, file: await saveCheckpoint(e, path.join(out, 'checkpoints'), gan, info) };
  } catch (error) {
    if (error instanceof DeviceError || !run.savedAt) throw error;
    throw new UserError(
      `${(error as Error).message} The checkpoint of step ${run.savedAt.step} is kept: ${run.savedAt.file}.`,
      {
        cause: error,
      },
    );
  }
}
