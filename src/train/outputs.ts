/** What a network that is no longer trained says of images. */
import { Tape } from '../autograd/tape.js';
import { inOrder } from '../data/loader.js';
import type { ImageSource } from '../data/store.js';
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { argmaxRows } from '../metrics/confusion.js';
import type { Module } from '../nn/module.js';
import { concatenated } from './sample.js';

/** Images at a time. */
const BATCH = 32;

/**
 * The results of `forward` for all images of a source, in evaluation mode: [count, ...] as one array. `module` is the network
 * that `forward` runs.
 */
export async function outputsOf(
  e: Engine,
  module: Module,
  forward: (tape: Tape, images: Tensor) => Tensor,
  source: ImageSource,
): Promise<Float32Array> {
  const { channels, size } = source;
  const parts: Float32Array[] = [];
  module.eval();
  for await (const { images, labels } of inOrder(source, BATCH)) {
    const result = e.scope(() => forward(new Tape(e), e.upload(images, [labels.length, channels, size, size])));
    parts.push(await e.read(result));
    e.release(result);
  }
  return concatenated(parts);
}

export interface ClassifierScore {
  /** Mean of -log of the probability that the true class is given; always a number, see `scoreLogits`. */
  readonly loss: number;
  /** Share of images whose class was named rightly. */
  readonly accuracy: number;
  /** The class named for each image. */
  readonly named: Int32Array;
}

/**
 * Scores logits [count, classes] against labels [count]; count at least 1. An image whose logits are no numbers counts as if all
 * classes were given equal probability, as `softmaxRows` has it: dynamic convolutions can overflow on one image, which must
 * not make the loss of all the others unknown.
 */
export function scoreLogits(logits: Float32Array, labels: Int32Array): ClassifierScore {
  const classes = logits.length / labels.length;
  const named = argmaxRows(logits, classes);
  let loss = 0;
  let right = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const most = row[named[i]!]!;
    const own = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) + most - row[label]!;
    loss += Number.isFinite(own) ? own : Math.log(classes);
    if (named[i] === label) right++;
  });
  return { loss: loss / labels.length, accuracy: right / labels.length, named };
}
