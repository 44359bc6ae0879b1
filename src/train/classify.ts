/** What a network that is no longer trained says of images. */
import { Tape } from '../autograd/tape.js';
import type { Engine } from '../kernel/engine.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { argmaxRows } from '../metrics/confusion.js';
import type { Module } from '../nn/module.js';

/** One image's [channels, height, width]. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/**
 * The results of `forward` for images [count, ...image], `batch` at a time, in evaluation mode: [count, ...] as one array.
 * `module` is the network that `forward` runs.
 */
export async function outputsOf(
  e: Engine,
  module: Module,
  forward: (tape: Tape, images: Tensor) => Tensor,
  images: Float32Array,
  image: ImageShape,
  batch: number,
): Promise<Float32Array> {
  const pixels = sizeOf(image);
  const count = images.length / pixels;
  let outputs = new Float32Array(0);
  module.eval();
  for (let start = 0; start < count; start += batch) {
    const part = images.subarray(start * pixels, (start + batch) * pixels);
    const rows = part.length / pixels;
    const result = e.scope(() => forward(new Tape(e), e.upload(part, [rows, ...image])));
    const values = await e.read(result);
    e.release(result);
    if (start === 0) outputs = new Float32Array((values.length / rows) * count);
    outputs.set(values, start * (values.length / rows));
  }
  return outputs;
}

export interface ClassifierScore {
  /** Mean of -log of the probability that the true class is given. */
  readonly loss: number;
  /** Share of images whose class was named rightly. */
  readonly accuracy: number;
  /** The class named for each image. */
  readonly named: Int32Array;
}

/** Scores logits [count, classes] against labels [count]; count at least 1. */
export function scoreLogits(logits: Float32Array, labels: Int32Array): ClassifierScore {
  const classes = logits.length / labels.length;
  const named = argmaxRows(logits, classes);
  let loss = 0;
  let right = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const most = row[named[i]!]!;
    loss += Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) + most - row[label]!;
    if (named[i] === label) right++;
  });
  return { loss: loss / labels.length, accuracy: right / labels.length, named };
}
