/** What the discriminator says of a set of images: the class that it names, and real or not. */
import { Tape } from '../autograd/tape.js';
import { inOrder } from '../data/loader.js';
import type { ImageSource } from '../data/store.js';
import type { Engine } from '../kernel/engine.js';
import type { Discriminator } from '../models/discriminator.js';
import type { Network } from '../nn/network.js';

export interface Evaluation {
  /** Images whose class was named rightly. */
  readonly correct: number;
  readonly total: number;
  /** [true class][named class] */
  readonly confusion: number[][];
  /** Share of images taken for real. */
  readonly takenForReal: number;
}

/** Judges images in evaluation mode, `batch` at a time. */
export async function evaluate(
  e: Engine,
  d: Network<Discriminator>,
  source: ImageSource,
  batch: number,
): Promise<Evaluation> {
  const { classes, channels, size } = d.module.config;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let real = 0;
  d.module.eval();
  for await (const { images, labels } of inOrder(source, batch)) {
    const shape = [labels.length, channels, size, size];
    const judged = e.scope(() => ({ ...d.module.forward(new Tape(e), e.upload(images, shape)) }));
    const logits = await e.read(judged.classes);
    const adversarial = await e.read(judged.adversarial);
    e.release(judged.classes);
    e.release(judged.adversarial);
    for (const [i, label] of labels.entries()) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      confusion[label]![row.indexOf(Math.max(...row))]!++;
      if (adversarial[i]! > 0) real++;
    }
  }
  const correct = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  const total = source.labels.length;
  return { correct, total, confusion, takenForReal: total > 0 ? real / total : 0 };
}
