/**
 * What a training run tells while it runs: numbers to log.jsonl, and to TensorBoard's event files, which also get pictures and
 * the distributions of weights.
 */

import path from 'node:path';
import { type LogRecord, openLog } from './log.js';
import { scalarsOf } from './scalars.js';
import { openEventFile } from './tensorboard.js';

export interface RunLog {
  /** One line of log.jsonl; its numbers are scalars of TensorBoard. */
  write(record: LogRecord): void;
  /** A picture for TensorBoard, as PNG. */
  image(step: number, tag: string, png: Uint8Array): Promise<void>;
  /** Distributions for TensorBoard, by the names of what is distributed. */
  histograms(
    step: number,
    values: () => Promise<Iterable<readonly [tag: string, values: Float32Array]>>,
  ): Promise<void>;
  /** Flushes to disk and closes. */
  close(): void;
}

export interface RunLogOptions {
  /** The step of the checkpoint that the run goes on from: what was told of later steps is dropped. Default 0. */
  readonly resumeAtStep?: number;
  /** Whether TensorBoard's files are written. Default true. */
  readonly tensorboard?: boolean;
}

/** Opens the logs in a run's folder. Whatever writes throws UserErrors (disk full, ...). */
export function openRunLog(run: string, { resumeAtStep = 0, tensorboard = true }: RunLogOptions = {}): RunLog {
  const log = openLog(path.join(run, 'log.jsonl'), { resumeAtStep });
  // Step 0, before the first update, is told of once: by a run that begins.
  const forgetFrom = resumeAtStep === 0 ? 0 : resumeAtStep + 1;
  const events = tensorboard ? openEventFile(path.join(run, 'tensorboard'), { forgetFrom }) : undefined;
  return {
    write(record) {
      log.write(record);
      const { step } = record;
      const scalars = scalarsOf(record);
      if (step !== undefined && Object.keys(scalars).length > 0) events?.scalars(step, scalars);
    },
    image: async (step, tag, png) => events?.image(step, tag, png),
    histograms: async (step, values) => events?.histograms(step, await values()),
    close() {
      log.close();
      events?.close();
    },
  };
}
