/** lyrebird report RUN: the run as a page to look at. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { type Dataset, readDataset } from '../data/read.js';
import { describeSkipped } from '../data/store.js';
import { UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { writeReport } from '../io/report.js';
import type { Engine } from '../kernel/engine.js';
import type { Checkpoint, Weights } from '../train/checkpoint.js';
import { type Summary, summarise } from '../train/summary.js';
import { type CheckpointFlags, checkpointOptions, chosenCheckpoint } from './checkpoint.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { alone } from './interrupt.js';
import { counted, reportUnread } from './prepare.js';

export function register(program: Command): void {
  checkpointOptions(program.command('report'))
    .description(
      'Writes report.html into a run folder: loss curves, real and synthetic spectrograms side by side, and how often the ' +
        'discriminator names the right class of held-out real and of synthetic images. One file, no network.',
    )
    .argument('<run>', "the run's folder")
    .option('--dataset <folder>', 'the data set it was trained on (default: the folder dataset in the run)')
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (run: string, options: CheckpointFlags & DeviceFlags & { dataset?: string }) => {
      const checkpoint = await chosenCheckpoint(run, options);
      const { fold } = checkpoint.config;
      const dataset = await readDataset(options.dataset ?? ownDataset(run), { fold });
      const skipped = await alone(run, () =>
        withFastEngine(options, async (engine) => {
          const written = await report(engine, run, checkpoint, dataset, dataset.dir, options.weights);
          console.log(written.page);
          return written.skipped;
        }),
      );
      for (const line of describeSkipped(dataset, skipped)) console.error(`note: ${line}`);
      reportUnread(skipped.length);
    });
}

/** The data set that `lyrebird run` leaves in its folder. */
export function ownDataset(run: string): string {
  const dir = path.join(run, 'dataset');
  if (existsSync(dir)) return dir;
  throw new UserError(`"${run}" has no data set in it: name the one that it was trained on with --dataset.`);
}

/** Throws a UserError unless the data set has the classes that the run was trained on. */
export function checkClasses(
  run: string,
  checkpoint: Pick<Checkpoint, 'classes'>,
  dataset: Pick<Dataset, 'dir' | 'classes'>,
): void {
  if (isDeepStrictEqual(checkpoint.classes, dataset.classes)) return;
  throw new UserError(
    `"${run}" was trained on the classes ${checkpoint.classes.join(', ')}; "${dataset.dir}" has ${dataset.classes.join(', ')}. ` +
      'Name its data set with --dataset.',
  );
}

/** Writes the report, and comparison.png beside it; returns the report's path, and the images that it could not read. */
export async function report(
  engine: Engine,
  run: string,
  checkpoint: Checkpoint,
  dataset: Dataset,
  source: string,
  weights?: Weights,
): Promise<{ page: string } & Pick<Summary, 'skipped'>> {
  checkClasses(run, checkpoint, dataset);
  const { length } = checkpoint.classes;
  const species = checkpoint.synthetic ? 'synthetic species' : 'species';
  const classes = dataset.parameters ? `${length} ${species}` : counted(length, 'class', 'classes');
  const title = `${classes}, ${counted(checkpoint.step, 'step')}`;
  const file = path.join(run, 'report.html');
  const summary = await summarise(engine, run, dataset, checkpoint, { title, source, weights });
  if (!summary.sameImages) {
    console.error(
      `note: the training images of "${dataset.dir}" are not those that "${run}" was trained on: what is held out now may have ` +
        'been trained on then, and look better than it is.',
    );
  }
  await writeReport(file, summary.report);
  await writeAtomically(path.join(run, 'comparison.png'), summary.comparison);
  return { page: file, skipped: summary.skipped };
}
