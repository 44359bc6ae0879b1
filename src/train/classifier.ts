/**
 * Trains a classifier: any layer that turns images into logits, on batches from anywhere (a loader of real images, of
 * synthetic ones, of both), with validation after each epoch and the best weights kept.
 *
 *   const network = new Network(e, new ResNet18(classes, 1), seed);
 *   const loader = createLoader({ source, batch, seed });
 *   await trainClassifier({ engine: e, network, loader, channels: 1, size: 64, validation, config });
 *
 * Everything random lies in the network's first weights and in the loader, so two runs of equal seeds are equal bit for bit.
 */
import { Tape } from '../autograd/tape.js';
import type { LabelledImages, Loader } from '../data/loader.js';
import type { ImageSource } from '../data/store.js';
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import type { Layer } from '../nn/module.js';
import type { Network, State } from '../nn/network.js';
import { crossEntropy } from '../ops/loss.js';
import { createOptimizer, type Optimizer } from '../optim/optimizer.js';
import { cosine, type Schedule, warmUp } from '../optim/schedule.js';
import { outputsOf, scoreLogits } from './classify.js';
import { createFlight } from './flight.js';

export interface ClassifierConfig {
  readonly optimizer: 'adamw' | 'sgd';
  /** The highest: the rate rises for an epoch, then falls along a cosine to nothing. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Of sgd. */
  readonly momentum: number;
  readonly labelSmoothing: number;
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
  readonly validation?: { readonly loss: number; readonly accuracy: number };
}

export interface ClassifierTraining {
  readonly engine: Engine;
  readonly network: Network<Layer>;
  /** Where batches come from. */
  readonly loader: Pick<Loader, 'batch' | 'batchesPerEpoch'>;
  /** Of the images. */
  readonly channels: number;
  readonly size: number;
  /** Images that are not trained on. Without any, training goes on to the last epoch, and its weights are kept. */
  readonly validation?: ImageSource | undefined;
  readonly config: ClassifierConfig;
  readonly onEpoch?: (record: EpochRecord) => void;
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
  const { engine: e, network, loader, config, signal } = training;
  const { batchesPerEpoch } = loader;
  const optimizer = optimizerFor(e, network, config);
  const rate = scheduleOf(config, batchesPerEpoch);
  const history: EpochRecord[] = [];
  let best: { record: EpochRecord; state: State } | undefined;
  let losses: number[] = [];
  const flight = createFlight(e, (step, [loss]) => losses.push(checked(loss!, step)));
  for (let step = 0; step < config.epochs * batchesPerEpoch && !signal?.aborted; ) {
    const batch = await loader.batch(step);
    const loss = e.scope(() => trainStep(training, batch, optimizer, rate(step)));
    await flight.launch(++step, loss);
    if (step % batchesPerEpoch !== 0) continue;
    await flight.settle();
    const epoch = step / batchesPerEpoch;
    const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
    losses = [];
    const validation = await validate(training);
    const record = { epoch, step, loss: mean, learningRate: rate(step), ...(validation && { validation }) };
    history.push(record);
    training.onEpoch?.(record);
    if (isBetter(record, best?.record)) best = { record, state: await network.state() };
    if (best && validation && epoch - best.record.epoch >= config.patience) break;
  }
  await flight.settle();
  for (const tensor of Object.values(optimizer.state())) e.release(tensor);
  if (best) network.load(best.state);
  return { history, best: best?.record, complete: !signal?.aborted };
}

function optimizerFor(e: Engine, network: Network<Layer>, config: ClassifierConfig): Optimizer {
  const { learningRate: lr, weightDecay, momentum } = config;
  return config.optimizer === 'sgd'
    ? createOptimizer(e, 'sgd', [network], { lr, weightDecay, momentum })
    : createOptimizer(e, 'adamw', [network], { lr, weightDecay });
}

const scheduleOf = ({ learningRate, epochs }: ClassifierConfig, batchesPerEpoch: number): Schedule =>
  warmUp(batchesPerEpoch, cosine(learningRate, 0, Math.max(1, epochs - 1) * batchesPerEpoch));

/** One update on one batch; its loss. */
function trainStep(
  { engine: e, network, channels, size, config }: ClassifierTraining,
  { images, labels }: LabelledImages,
  optimizer: Optimizer,
  rate: number,
): Tensor {
  const tape = new Tape(e, network.targets);
  network.module.train();
  const logits = network.module.forward(tape, e.upload(images, [labels.length, channels, size, size]));
  const { labelSmoothing } = config;
  const loss = tape.apply(crossEntropy, [logits, e.upload(labels, [labels.length])], { labelSmoothing });
  network.zeroGrad();
  tape.backward(loss);
  optimizer.update(e, rate);
  e.submit();
  return loss;
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
