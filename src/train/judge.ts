/** What the discriminator says of a set of images: the class that it names, and real or not. */
import { Tape } from '../autograd/tape.js';
import { inOrder } from '../data/loader.js';
import type { ImageSource } from '../data/store.js';
import type { Engine } from '../kernel/engine.js';
import { argmaxRows, confusionMatrix } from '../metrics/confusion.js';
import type { Discriminator } from '../models/discriminator.js';
import type { Network } from '../nn/network.js';

export interface Verdicts {
  /** Images whose class was named rightly. */
  readonly correct: number;
  readonly total: number;
  /** [true class][named class] */
  readonly confusion: number[][];
  /** Share of images taken for real. */
  readonly takenForReal: number;
}

/** What the discriminator answers, image by image. */
export interface Logits {
  /** Above 0: real. */
  readonly adversarial: Float32Array;
  /** [count, width] */
  readonly classes: Float32Array;
  /** As many as there are classes; of a discriminative head twice as many. */
  readonly width: number;
}

/** Shows it images in evaluation mode, `batch` at a time. */
export async function logitsOf(
  e: Engine,
  d: Network<Discriminator>,
  source: ImageSource,
  batch: number,
): Promise<Logits> {
  const { classes, channels, size, discriminative = false } = d.module.config;
  const width = discriminative ? 2 * classes : classes;
  const total = source.labels.length;
  const logits = { adversarial: new Float32Array(total), classes: new Float32Array(total * width), width };
  let done = 0;
  d.module.eval();
  for await (const { images, labels } of inOrder(source, batch)) {
    const shape = [labels.length, channels, size, size];
    const judged = e.scope(() => ({ ...d.module.forward(new Tape(e), e.upload(images, shape)) }));
    logits.classes.set(await e.read(judged.classes), done * width);
    logits.adversarial.set(await e.read(judged.adversarial), done);
    done += labels.length;
    e.release(judged.classes);
    e.release(judged.adversarial);
  }
  return logits;
}

/** Judges images, `batch` at a time. */
export async function judgeImages(
  e: Engine,
  d: Network<Discriminator>,
  source: ImageSource,
  batch: number,
): Promise<Verdicts> {
  const { classes } = d.module.config;
  const logits = await logitsOf(e, d, source, batch);
  // Of a discriminative head, among the classes of real images: what is asked is which species it is.
  const named = argmaxRows(logits.classes, logits.width, classes);
  const confusion = confusionMatrix(source.labels, named, classes);
  const correct = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  const total = source.labels.length;
  const real = logits.adversarial.filter((logit) => logit > 0).length;
  return { correct, total, confusion, takenForReal: total > 0 ? real / total : 0 };
}
