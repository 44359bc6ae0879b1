/**
 * Trains a classifier: any layer that turns images into logits, on batches from anywhere (a loader of real images, of
 * synthetic ones, of both), with validation after each epoch and the best weights kept.
 *
 *   const network = new Network(e, classifiers.resnet18({ classes, channels: 1 }), seed);
 *   const loader = createLoader({ source, batch, seed });
 *   await trainClassifier({ engine: e, network, loader, channels: 1, size: 64, validation, config });
 *
 * Everything random lies in the network's first weights, in the loader, and in what mixup and dropout draw from seed and step. So two
 * runs of equal seeds are equal bit for bit, and so is one that goes on from a state that another left (`ClassifierState`).
 */
import { createDraws } from '../autograd/draws.js';
import { Tape } from '../autograd/tape.js';
import type { LabelledImages, Loader } from '../data/loader.js';
import type { ImageSource } from '../data/store.js';
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import type { Layer } from '../nn/module.js';
import type { Network, State } from '../nn/network.js';
import { add, mul } from '../ops/elementwise.js';
import { crossEntropy } from '../ops/loss.js';
import { createOptimizer, type Optimizer } from '../optim/optimizer.js';
import { constant, cosine, linear, type Schedule, warmUp } from '../optim/schedule.js';
import { createFlight } from './flight.js';
import { mixup } from './mixup.js';
import { outputsOf, scoreLogits } from './outputs.js';
import type { RATE_SCHEDULES } from './rates.js';

export interface ClassifierConfig {
  readonly optimizer: 'adamw' | 'sgd';
  /** The highest: the rate rises to it while training warms up. */
  readonly learningRate: number;
  /** How the rate then falls to nothing, if it does. Default cosine. */
  readonly schedule?: (typeof RATE_SCHEDULES)[number];
  /** Epochs of warming up. Default 1. */
  readonly warmUp?: number;
  readonly weightDecay: number;
  /** Of sgd. */
  readonly momentum: number;
  readonly labelSmoothing: number;
  /** Strength of mixup; 0, the default: none. */
  readonly mixup?: number;
  /** Of what mixup and dropout draw. Default 0. */
  readonly seed?: number;
  /** Passes at most. */
  readonly epochs: number;
  /** Passes without a lower validation loss after which it stops. */
  readonly patience: number;
}

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Updates so far. */
  readonly step: number;
  /** Mean over the epoch's batches. */
  readonly loss: number;
  /** Of the next step. */
  readonly learningRate: number;
  readonly validation?: { readonly loss: number; readonly accuracy: number } | undefined;
}

/** Where training stands: all that it needs to go on. */
export interface ClassifierState {
  readonly step: number;
  readonly history: readonly EpochRecord[];
  /** Of the steps of the epoch that is not finished. */
  readonly losses: readonly number[];
  readonly weights: State;
  readonly optimizer: ReadonlyMap<string, Float32Array>;
  /** Missing before the first epoch is finished. */
  readonly best?: { readonly record: EpochRecord; readonly weights: State } | undefined;
}

export interface ClassifierTraining {
  readonly engine: Engine;
  readonly network: Network<Layer>;
  /** Where batches come from. */
  readonly loader: Pick<Loader, 'batch' | 'batchesPerEpoch'>;
  /** Of the images. */
  readonly channels: number;
  readonly size: number;
  /** How much an image of each class counts. Default alike. */
  readonly classWeights?: readonly number[] | undefined;
  /** Images that are not trained on. Without any, training goes on to the last epoch, and its weights are kept. */
  readonly validation?: ImageSource | undefined;
  readonly config: ClassifierConfig;
  /** Where to go on from. */
  readonly from?: ClassifierState | undefined;
  readonly onStep?: (step: number, loss: number, epoch: number) => void;
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Told after epochs, and when it ends or is stopped; awaited. */
  readonly save?: (state: ClassifierState) => Promise<void>;
  /** That must have passed since the last time, or the beginning. Default 0: it is told after each epoch. */
  readonly saveSeconds?: number;
  /** Stops after the step in hand; the best weights so far are kept. */
  readonly signal?: AbortSignal | undefined;
}

export interface ClassifierResult {
  readonly history: readonly EpochRecord[];
  /** The epoch whose weights the network has now; undefined if none was finished. */
  readonly best: EpochRecord | undefined;
  /** False if it was stopped from outside. */
  readonly complete: boolean;
}

/** Trains `network` in place. Throws a UserError if a loss is no longer a number. */
export async function trainClassifier(training: ClassifierTraining): Promise<ClassifierResult> {
  const { engine: e, network, config, from } = training;
  const optimizer = optimizerFor(e, network, config);
  try {
    if (from) restore(e, network, optimizer, from);
    return await takeEpochs(training, optimizer);
  } finally {
    for (const tensor of Object.values(optimizer.state())) e.release(tensor);
  }
}

async function takeEpochs(training: ClassifierTraining, optimizer: Optimizer): Promise<ClassifierResult> {
  const { engine: e, network, loader, config, from, signal, save, saveSeconds = 0 } = training;
  const { batchesPerEpoch } = loader;
  const rate = scheduleOf(config, batchesPerEpoch);
  const history: EpochRecord[] = [...(from?.history ?? [])];
  let step = from?.step ?? 0;
  let best = from?.best;
  let losses: number[] = [...(from?.losses ?? [])];
  let saved = { step, time: performance.now() };
  const flight = createFlight(e, (t, [loss]) => {
    losses.push(checked(loss!, t));
    training.onStep?.(t, loss!, Math.ceil(t / batchesPerEpoch));
  });
  const state = async (weights: State): Promise<ClassifierState> => ({
    ...{ step, history: [...history], losses: [...losses], weights, best },
    optimizer: await readOptimizer(e, optimizer),
  });
  const saveNow = async (weights: State): Promise<void> => {
    await save?.(await state(weights));
    saved = { step, time: performance.now() };
  };
  const isOver = (): boolean => {
    const since = history.length - (best?.record.epoch ?? 0);
    return history.length >= config.epochs || (best?.record.validation !== undefined && since >= config.patience);
  };
  try {
    while (!isOver() && !signal?.aborted) {
      const batch = await loader.batch(step);
      const loss = e.scope(() => trainStep(training, batch, optimizer, step, rate(step)));
      await flight.launch(++step, loss);
      if (step % batchesPerEpoch !== 0) continue;
      await flight.settle();
      const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
      losses = [];
      const validation = await validate(training);
      const epoch = step / batchesPerEpoch;
      const record = { epoch, step, loss: mean, learningRate: rate(step), ...(validation && { validation }) };
      history.push(record);
      const better = isBetter(record, best?.record);
      const isDue = save !== undefined && performance.now() - saved.time >= 1000 * saveSeconds;
      const weights = better || isDue ? await network.state() : undefined;
      if (better) best = { record, weights: weights! };
      training.onEpoch?.(record);
      if (isDue) await saveNow(weights!);
    }
    await flight.settle();
  } finally {
    flight.drop();
  }
  if (save && step !== saved.step) await saveNow(await network.state());
  if (best) network.load(best.weights);
  return { history, best: best?.record, complete: isOver() };
}

function restore(e: Engine, network: Network<Layer>, optimizer: Optimizer, from: ClassifierState): void {
  network.load(from.weights);
  optimizer.setStep(from.step);
  for (const [name, tensor] of Object.entries(optimizer.state())) {
    const saved = from.optimizer.get(name);
    if (saved?.length !== tensor.shape[0])
      throw new UserError(`the optimiser's ${name} is missing or of another length`);
    e.write(tensor, saved);
  }
}

async function readOptimizer(e: Engine, optimizer: Optimizer): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries(optimizer.state())) values.set(name, await e.read(tensor));
  return values;
}

function optimizerFor(e: Engine, network: Network<Layer>, config: ClassifierConfig): Optimizer {
  const { learningRate: lr, weightDecay, momentum } = config;
  return config.optimizer === 'sgd'
    ? createOptimizer(e, 'sgd', [network], { lr, weightDecay, momentum })
    : createOptimizer(e, 'adamw', [network], { lr, weightDecay });
}

function scheduleOf(config: ClassifierConfig, batchesPerEpoch: number): Schedule {
  const { learningRate, schedule = 'cosine', warmUp: rising = 1, epochs } = config;
  const rise = Math.round(rising * batchesPerEpoch);
  const steps = Math.max(1, epochs * batchesPerEpoch - rise);
  const falling = {
    cosine: () => cosine(learningRate, 0, steps),
    linear: () => linear(learningRate, 0, steps),
    constant: () => constant(learningRate),
  }[schedule]();
  return warmUp(rise, falling);
}

/** One update on one batch; its loss. */
function trainStep(
  training: ClassifierTraining,
  batch: LabelledImages,
  optimizer: Optimizer,
  step: number,
  rate: number,
): Tensor {
  const { engine: e, network, channels, size, config } = training;
  const { labelSmoothing, mixup: alpha = 0, seed = 0 } = config;
  const mixed = alpha > 0 ? mixup(batch, alpha, seed, step) : undefined;
  const { images, labels } = mixed ?? batch;
  const tape = new Tape(e, network.targets, { draws: createDraws(seed, step) });
  network.module.train();
  const logits = network.module.forward(tape, e.upload(images, [labels.length, channels, size, size]));
  const lossFor = (named: Int32Array): Tensor =>
    tape.apply(crossEntropy, [logits, e.upload(named, [named.length]), rowWeights(training, named)], {
      labelSmoothing,
    });
  network.zeroGrad();
  const loss = mixed ? blended(tape, [lossFor(labels), lossFor(mixed.others)], mixed.share) : lossFor(labels);
  tape.backward(loss);
  optimizer.update(e, rate);
  e.submit();
  return loss;
}

/** share a + (1 - share) b. */
function blended(tape: Tape, [a, b]: readonly [Tensor, Tensor], share: number): Tensor {
  const { engine: e } = tape;
  const times = (loss: Tensor, factor: number) => tape.apply(mul, [loss, e.upload(Float32Array.of(factor), [])], {});
  return tape.apply(add, [times(a, share), times(b, 1 - share)], {});
}

/** What each image counts for, [count], with sum 1; undefined where all count alike. */
function rowWeights({ engine: e, classWeights }: ClassifierTraining, labels: Int32Array): Tensor | undefined {
  if (!classWeights) return undefined;
  const weights = Float32Array.from(labels, (label) => classWeights[label]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return e.upload(
    weights.map((weight) => weight / total),
    [labels.length],
  );
}

async function validate({ engine, network, validation }: ClassifierTraining) {
  if (!validation || validation.labels.length === 0) return undefined;
  const { module } = network;
  const logits = await outputsOf(engine, module, module.forward.bind(module), validation);
  const { loss, accuracy } = scoreLogits(logits, validation.labels);
  return { loss, accuracy };
}

/** By validation loss; without validation the latest is the best. */
const isBetter = (record: EpochRecord, before: EpochRecord | undefined): boolean =>
  !before?.validation || !record.validation || record.validation.loss < before.validation.loss;

function checked(loss: number, step: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new UserError(
    `Training a classifier diverged: at step ${step} the loss is ${loss}. Train with a lower learning rate, and look whether the images are whole.`,
  );
}
