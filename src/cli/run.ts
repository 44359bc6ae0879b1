/** lyrebird run [DIR]: the whole way, from recordings to labelled synthetic spectrograms and a report. */
import path from 'node:path';
import type { Command } from 'commander';
import { synthesiseRecordings } from '../audio/syrinx.js';
import { changedParameter, type DatasetSummary } from '../data/dataset.js';
import type { LabelOptions } from '../data/labels/label.js';
import { readDataset } from '../data/read.js';
import { changedRecording } from '../data/recordings.js';
import { UserError } from '../io/errors.js';
import type { Engine } from '../kernel/engine.js';
import { readCheckpoint } from '../train/checkpoint.js';
import { DEFAULT_SIZE, type TrainConfig } from '../train/config.js';
import { imagesPerClass, sameOfEach } from './counts.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { describeGenerated, generate } from './generate.js';
import { alone } from './interrupt.js';
import { type LabelFlags, labelOptions, labelsFrom } from './labels.js';
import { folder } from './options.js';
import { describeSummary, LEFT_OUT, prepare, reportLeftOut, reportUnread } from './prepare.js';
import { report } from './report.js';
import { resumable, startAnew } from './resume.js';
import { parametersFrom, type SpectrogramFlags, spectrogramOptions } from './spectrogramOptions.js';
import { type SplitFlags, splitFrom, splitOptions } from './splitOptions.js';
import { configFrom, describeTraining, type TrainFlags, train, trainOptions } from './train.js';

interface RunFlags extends TrainFlags, SpectrogramFlags, SplitFlags, LabelFlags, DeviceFlags {
  readonly out: string;
  readonly count: number;
}

export function register(program: Command): void {
  const command = labelOptions(splitOptions(trainOptions(program.command('run'), `${DEFAULT_SIZE}`)))
    .usage('[dir] [options]')
    .description(
      'Does everything: prepare, train, generate, report. Without a folder it synthesises recordings of invented species on ' +
        `the spot, so that the program can be seen working anywhere. Given again, it goes on where it stopped. ${LEFT_OUT}`,
    )
    .argument('[dir]', 'folder with a folder of recordings for each species, or with recordings that --labels is about')
    .option('--out <folder>', "the run's folder (default: lyrebird-run, or lyrebird-run-<name of the folder>)", folder)
    .option('--count <n>', 'synthetic images for each class', imagesPerClass, 50)
    .addOption(adapterOption())
    .addOption(tunedOption());
  spectrogramOptions(command).action(
    async (dir: string | undefined, given: Omit<RunFlags, 'out'> & { out?: string }) => {
      const flags: RunFlags = { ...given, out: given.out ?? defaultFolder(dir) };
      const config = await configFrom(flags);
      const isNew = !(await resumable(flags.out, config));
      const labels = labelsFrom(given);
      const { summary, unread } = await alone(flags.out, (signal) =>
        withFastEngine(flags, (engine) => runAll({ engine, dir, labels, flags, config, isNew, signal })),
      );
      reportLeftOut(summary);
      reportUnread(unread);
    },
  );
}

/** A folder for each source, so that one's own recordings do not meet the run on invented ones. */
const defaultFolder = (dir: string | undefined): string =>
  dir === undefined ? 'lyrebird-run' : `lyrebird-run-${path.basename(path.resolve(dir))}`;

interface Job {
  readonly engine: Engine;
  readonly dir: string | undefined;
  readonly labels: LabelOptions | undefined;
  readonly flags: RunFlags;
  readonly config: TrainConfig;
  /** Whether its folder holds no run to go on with. */
  readonly isNew: boolean;
  readonly signal: AbortSignal;
}

interface Done {
  readonly summary: DatasetSummary;
  /** Images that training could not read. */
  readonly unread: number;
}

/** All of it, or until it is stopped. */
async function runAll({ engine, dir, labels, flags, config, isNew, signal }: Job): Promise<Done> {
  const { out, count } = flags;
  const { seed } = config;
  const data = path.join(out, 'dataset');
  if (dir === undefined) {
    console.error(
      'lyrebird: no folder of recordings was given: recordings of invented species are synthesised. ' +
        'For your own: npm start -- FOLDER, or where it is installed lyrebird run FOLDER, with a folder of recordings for each species in it.',
    );
  }
  const source = dir === undefined ? { recordings: synthesiseRecordings({ seed }) } : { dir, labels };
  const parameters = { ...parametersFrom(flags), size: config.size };
  const spectrograms = { ...parameters, ...source, out: data, ...(await splitFrom(flags, seed)) };
  const other = isNew ? undefined : await changedParameter(spectrograms);
  const changed = isNew ? undefined : await changedRecording(spectrograms);
  if (other !== undefined || changed !== undefined) {
    // Before the data set is made anew, so that what is there stays as it is.
    const advice = startAnew(out, dir === undefined ? 'lyrebird-invented' : `${path.basename(path.resolve(dir))}-run`);
    const what = changed === undefined ? `spectrograms: ${other}` : `recordings: ${changed}`;
    throw new UserError(`"${out}" holds a run on other ${what}. ${advice}`);
  }
  const summary = await prepare(engine, spectrograms, signal);
  console.log(describeSummary(summary));
  if (signal.aborted) return { summary, unread: 0 };

  const dataset = await readDataset(data, { fold: config.fold });
  const result = await train(engine, dataset, config, { ...flags, signal });
  console.log(describeTraining(result, config, out));
  const done = { summary, unread: result.leftOut };
  if (!result.complete) return done;

  const checkpoint = await readCheckpoint(out);
  const synthetic = path.join(out, 'synthetic');
  const made = await generate(engine, checkpoint, { count: sameOfEach(count), seed }, synthetic, signal);
  console.log(describeGenerated(made, synthetic));
  if (signal.aborted) return done;
  const { page } = await report(engine, out, checkpoint, dataset, dir ?? 'recordings synthesised by this program');
  console.log(`${page}: the report, to look at in a browser`);
  return done;
}
