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

/** Judges images in evaluation mode, `batch` at a time. */
export async function judgeImages(
  e: Engine,
  d: Network<Discriminator>,
  source: ImageSource,
  batch: number,
): Promise<Verdicts> {
  const { classes, channels, size } = d.module.config;
  const total = source.labels.length;
  const named = new Int32Array(total);
  let [done, real] = [0, 0];
  d.module.eval();
  for await (const { images, labels } of inOrder(source, batch)) {
    const shape = [labels.length, channels, size, size];
    const judged = e.scope(() => ({ ...d.module.forward(new Tape(e), e.upload(images, shape)) }));
    // Of a discriminative head, among the classes of real images: what is asked is which species it is.
    named.set(argmaxRows(await e.read(judged.classes), judged.classes.shape[1]!, classes), done);
    real += (await e.read(judged.adversarial)).filter((logit) => logit > 0).length;
    done += labels.length;
    e.release(judged.classes);
    e.release(judged.adversarial);
  }
  const confusion = confusionMatrix(source.labels, named, classes);
  const correct = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  return { correct, total, confusion, takenForReal: total > 0 ? real / total : 0 };
}
