/** lyrebird report RUN: the run as a page to look at. */
import path from 'node:path';
import type { Command } from 'commander';
import { type Dataset, readDataset } from '../data/read.js';
import { UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { writeReport } from '../io/report.js';
import type { Engine } from '../kernel/engine.js';
import { readCheckpoint } from '../train/checkpoint.js';
import { summarise } from '../train/summary.js';
import { adapterOption, withEngine } from './engine.js';

export function register(program: Command): void {
  program
    .command('report')
    .description(
      'Writes report.html into a run folder: loss curves, real and synthetic spectrograms side by side, and how often the ' +
        'discriminator names the right class of held-out real and of synthetic images. One file, no network.',
    )
    .argument('<run>', "the run's folder")
    .option('--dataset <folder>', 'the data set it was trained on (default: the folder dataset in the run)')
    .addOption(adapterOption())
    .action(async (run: string, options: { dataset?: string; adapter?: string }) => {
      const dataset = await readDataset(options.dataset ?? path.join(run, 'dataset'));
      await withEngine(options, async (engine) => {
        console.log(await report(engine, run, dataset, dataset.dir));
      });
    });
}

/** Writes the report, and comparison.png beside it; returns the report's path. */
export async function report(engine: Engine, run: string, dataset: Dataset, source: string): Promise<string> {
  const checkpoint = await readCheckpoint(run);
  if (checkpoint.classes.join() !== dataset.classes.join()) {
    throw new UserError(
      `"${run}" was trained on the classes ${checkpoint.classes.join(', ')}; "${dataset.dir}" has ${dataset.classes.join(', ')}. ` +
        'Name its data set with --dataset.',
    );
  }
  const title = `${checkpoint.classes.length} ${checkpoint.synthetic ? 'synthetic species' : 'species'}, ${checkpoint.step} steps`;
  const file = path.join(run, 'report.html');
  const summary = await summarise(engine, run, dataset, checkpoint, { title, source });
  await writeReport(file, summary.report);
  await writeAtomically(path.join(run, 'comparison.png'), summary.comparison);
  return file;
}
