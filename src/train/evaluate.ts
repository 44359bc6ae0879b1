/** What the discriminator says of a set of images: the class that it names, and real or not. */
import { Tape } from '../autograd/tape.js';
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

/** Judges images [count, 1, size, size] in evaluation mode, `batch` at a time. */
export async function evaluate(
  e: Engine,
  d: Network<Discriminator>,
  images: Float32Array,
  labels: Int32Array,
  batch: number,
): Promise<Evaluation> {
  const { classes, size } = d.module.config;
  const pixels = size * size;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let real = 0;
  d.module.eval();
  for (let start = 0; start < labels.length; start += batch) {
    const count = Math.min(batch, labels.length - start);
    const part = images.subarray(start * pixels, (start + count) * pixels);
    const judged = e.scope(() => ({ ...d.module.forward(new Tape(e), e.upload(part, [count, 1, size, size])) }));
    const logits = await e.read(judged.classes);
    const adversarial = await e.read(judged.adversarial);
    e.release(judged.classes);
    e.release(judged.adversarial);
    for (let i = 0; i < count; i++) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      confusion[labels[start + i]!]![row.indexOf(Math.max(...row))]!++;
      if (adversarial[i]! > 0) real++;
    }
  }
  const correct = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  return { correct, total: labels.length, confusion, takenForReal: labels.length > 0 ? real / labels.length : 0 };
}
