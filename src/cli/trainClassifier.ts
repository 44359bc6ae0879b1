/** lyrebird train-classifier DATASET: trains a recogniser of species on a data set, and on generated images if there are any. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { areSynthesised } from '../audio/syrinx.js';
import {
  type ClassifierRunConfig,
  checkClassifierConfig,
  classifierSchema,
  DEFAULT_CLASSIFIER,
} from '../classify/config.js';
import { CHECKPOINT } from '../classify/files.js';
import { type ClassifierResults, type ClassifierRun, runClassifier } from '../classify/run.js';
import type { AugmentConfig } from '../data/augment.js';
import { manifestName, readManifest } from '../data/manifest.js';
import { mixSources, trainingOnly } from '../data/mix.js';
import { type Dataset, readDataset } from '../data/read.js';
import { type ImageSource, openImages } from '../data/store.js';
import { writeClassifierReport } from '../io/classifierReport.js';
import { UserError } from '../io/errors.js';
import { isInside, isOwnFolder, writeAtomically } from '../io/files.js';
import { gridPng } from '../io/image.js';
import { readLog } from '../io/log.js';
import { createProgress } from '../io/progress.js';
import { panelsOf } from '../io/scalars.js';
import { CLASSIFIER_NAMES, type ClassifierName } from '../models/classifiers.js';
import { readConfigFile } from '../train/config.js';
import { settingOf } from '../train/summary.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { alone } from './interrupt.js';
import { augmentOption, folder, positiveInteger, positiveNumber, wholeNumber } from './options.js';
import { counted, reportUnread, sizeOption } from './prepare.js';
import { formatTable } from './table.js';

interface ClassifierFlags extends DeviceFlags {
  readonly out: string;
  readonly network?: ClassifierName;
  readonly dynamic?: true;
  readonly width?: number;
  readonly size?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly learningRate?: number;
  readonly seed?: number;
  readonly fold?: number;
  readonly balanced?: true;
  readonly augment?: AugmentConfig;
  readonly config?: string;
  readonly synthetic?: readonly string[];
  readonly only?: true;
  readonly weights?: string;
  readonly tensorboard: boolean;
}

export function register(program: Command): void {
  program
    .command('train-classifier')
    .usage('<dataset> --out <folder> [options]')
    .description(
      'Trains a classifier that names the species of a window: MobileNetV2, ResNet-18 or VGG16, of ordinary or of dynamic ' +
        'convolutions, on a data set and, with --synthetic, on generated images beside it. Tests it on the recordings held out: ' +
        'accuracy, precision, recall and F1 of each class, confusions, calibration, by windows and by recordings. The folder gets ' +
        'model.safetensors, results.json, predictions.csv, confusion.png and report.html. Stopped (^C saves first), it goes on ' +
        'when the same command is given again.',
    )
    .argument('<dataset>', "data set made by 'lyrebird prepare', or any folder of images with a folder for each class")
    .requiredOption('--out <folder>', 'where everything goes', folder)
    .addOption(
      new Option('--network <name>', `which (default: ${DEFAULT_CLASSIFIER.network})`).choices(CLASSIFIER_NAMES),
    )
    .option('--dynamic', 'dynamic convolutions (Li et al. 2021)')
    .option(
      '--width <factor>',
      `of all widths; 1: the published network (default: ${DEFAULT_CLASSIFIER.width})`,
      positiveNumber,
    )
    .addOption(sizeOption(`that of the data set, else ${DEFAULT_CLASSIFIER.size}`))
    .option('--synthetic <folders...>', 'folders of generated images to train on too (lyrebird generate)')
    .option('--only', 'train on the generated images alone')
    .option('--weights <file>', "begin with these, such as torchvision's, saved as safetensors")
    .option('--epochs <n>', `at most (default: ${DEFAULT_CLASSIFIER.epochs})`, positiveInteger)
    .option('--batch <n>', `images a step (default: ${DEFAULT_CLASSIFIER.batch})`, positiveInteger)
    .option('--learning-rate <r>', `the highest (default: ${DEFAULT_CLASSIFIER.learningRate})`, positiveNumber)
    .option('--seed <n>', `of everything random (default: ${DEFAULT_CLASSIFIER.seed})`, positiveInteger)
    .option('--fold <k>', 'of a data set in folds: the one that tests (default: the parts that it lists)', wholeNumber)
    .option('--balanced', 'draw each class equally often, however many images it has')
    .addOption(augmentOption())
    .option('--config <file>', `JSON file with any of: ${Object.keys(classifierSchema.shape).join(', ')}`)
    .option('--no-tensorboard', 'leave out the event files in the folder tensorboard/, for TensorBoard to show')
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (data: string, flags: ClassifierFlags) => {
      const { out, synthetic = [], only } = flags;
      const { parameters } = await readDataset(data);
      const config = await configFrom(flags, parameters?.size);
      const dataset = await readDataset(data, { fold: config.fold });
      if (only && synthetic.length === 0) throw new UserError('--only needs --synthetic: the images to train on.');
      if (isInside(out, data)) throw new UserError(`"${out}" lies in the data set, "${data}": choose another --out.`);
      await checkOwn(out);
      let leftOut = 0;
      const onLeftOut = (file: string, reason: string): void => {
        console.error(`left out: ${file}: ${reason}`);
        leftOut++;
      };
      await alone(out, (signal) =>
        withFastEngine(flags, async (engine) => {
          for (const note of dataset.notes) console.error(`note: ${note}`);
          const extra = await openSynthetic(synthetic, dataset, config, onLeftOut);
          const run = {
            ...{
              engine,
              dataset,
              config,
              out,
              signal,
              onLeftOut,
              useTraining: !only,
              tensorboard: flags.tensorboard,
              weights: flags.weights,
            },
            synthetic: areSynthesised(dataset.classes),
            ...(extra && { extra }),
          };
          const results = await trainWithProgress(run);
          if (!results) {
            console.log(`${out}: stopped; the same command goes on`);
            return;
          }
          await show(results, run);
          console.log(describeResults(results, out));
        }),
      );
      reportUnread(leftOut);
    });
}

/** Throws a UserError if the folder holds what is not a classifier's, which would be overwritten: a run's, or anything else. */
async function checkOwn(out: string): Promise<void> {
  const name = 'config.json';
  if (existsSync(path.join(out, CHECKPOINT)) || !(await isOwnFolder(out, name))) return;
  const file = path.join(out, name);
  if (classifierSchema.safeParse(await readConfigFile(file)).success) return;
  throw new UserError(`"${file}" is not of a classifier, and would be overwritten: choose another --out.`);
}

/** The defaults, changed by the config file, changed by the options. `own` is the size that the images have. */
async function configFrom(flags: ClassifierFlags, own?: number): Promise<ClassifierRunConfig> {
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const { network, dynamic, width, size, epochs, batch, learningRate, seed, fold, balanced, augment } = flags;
  const given = { network, dynamic, width, size, epochs, batch, learningRate, seed, fold, balanced, augment };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const start = { ...DEFAULT_CLASSIFIER, ...(own !== undefined && { size: own }) };
  return checkClassifierConfig(
    { ...start, ...file, ...set },
    flags.config === undefined ? 'The options' : `"${flags.config}"`,
  );
}

/** All images of folders of generated ones; undefined if there are no folders. Says of which the generator may know what tests. */
async function openSynthetic(
  folders: readonly string[],
  { classes }: Dataset,
  { size, channels, fit, fold }: ClassifierRunConfig,
  onLeftOut: NonNullable<ClassifierRun['onLeftOut']>,
): Promise<ImageSource | undefined> {
  if (folders.length === 0) return undefined;
  const sources: ImageSource[] = [];
  for (const name of folders) {
    const store = await openImages(trainingOnly(await readDataset(name), classes), 'train', { size, channels, fit });
    const generator = existsSync(path.join(name, manifestName)) ? await readManifest(name) : undefined;
    if (generator?.fold !== undefined && generator.fold !== fold) {
      console.error(
        `note: the generator of "${name}" was trained while ${tester(generator.fold)} tested, and here ${tester(fold)} tests: ` +
          'its images may imitate the recordings held out, and the results be too good.',
      );
    }
    for (const { file, reason } of store.skipped) onLeftOut(path.join(name, file), reason);
    sources.push(store);
  }
  return mixSources(sources);
}

const tester = (fold: number | null): string => (fold === null ? 'the part that the data set lists' : `fold ${fold}`);

/** Trains and tests, with progress on stderr. */
async function trainWithProgress(run: ClassifierRun): Promise<ClassifierResults | undefined> {
  let progress: ReturnType<typeof createProgress> | undefined;
  let validation: { loss: number; accuracy: number } | undefined;
  try {
    return await runClassifier({
      ...run,
      onNote: (line) => console.error(line),
      onStep: (step, steps, loss, epoch) => {
        progress ??= createProgress({ title: 'train', total: steps, done: step - 1 });
        const seen = validation && { 'validation loss': validation.loss, accuracy: validation.accuracy };
        progress.update(step, { epoch, loss, ...seen });
      },
      onEpoch: (record) => {
        validation = record.validation;
      },
    });
  } finally {
    progress?.stop();
  }
}

/** Pixels of a cell of the confusion matrix's picture. */
const CELL = 24;

/** confusion.png and report.html. */
async function show(results: ClassifierResults, { out, dataset, synthetic }: ClassifierRun): Promise<void> {
  const { classes, config, test, epochs, ...rest } = results;
  const { network, dynamic } = config;
  const title = `${network}${dynamic ? ' of dynamic convolutions' : ''}, ${counted(classes.length, 'class', 'classes')}`;
  if (test) {
    const cells = test.windows.confusion.flatMap((row) => {
      const most = Math.max(
        1,
        row.reduce((sum, value) => sum + value, 0),
      );
      return row.map((value) => new Uint8Array(CELL ** 2).fill(Math.round((255 * value) / most)));
    });
    const picture = await gridPng(cells, {
      ...{ columns: classes.length, size: CELL, scale: 1, rowLabels: classes, colormap: 'viridis' },
      title: 'Rows: what it is. Columns, in the same order: what it is named.',
    });
    await writeAtomically(path.join(out, 'confusion.png'), picture);
  }
  await writeClassifierReport(path.join(out, 'report.html'), {
    ...{ title, synthetic, classes, test, ...rest, epochs: epochs.length, source: dataset.dir, notes: dataset.notes },
    curves: panelsOf(readLog(path.join(out, 'log.jsonl'))),
    settings: Object.fromEntries(Object.entries(config).map(([name, value]) => [name, settingOf(value)])),
  });
}

/** What there is to know at once. */
export function describeResults({ test, bestEpoch, epochs, counts }: ClassifierResults, out: string): string {
  const trained = [...counts.training, ...counts.extra].reduce((sum, value) => sum + value, 0);
  const head = `${out}: trained on ${counted(trained, 'image')}, weights of epoch ${bestEpoch} of ${epochs.length}`;
  if (!test) return `${head}; nothing was held out, so nothing is known of how well it does`;
  const row = (name: string, { count, accuracy, top3, macro, calibrationError }: typeof test.windows): string[] => [
    name,
    String(count),
    ...[accuracy, top3, macro.precision, macro.recall, macro.f1, calibrationError].map((value) => value.toFixed(3)),
  ];
  const header = ['held out', 'count', 'accuracy', 'top 3', 'precision', 'recall', 'F1', 'calibration error'];
  const table = formatTable(
    header,
    [row('windows', test.windows), row('recordings', test.recordings)],
    ['left', ...header.slice(1).map(() => 'right' as const)],
  );
  const range = test.interval ? `, 95 % interval ${test.interval.map((value) => value.toFixed(3)).join(' to ')}` : '';
  return `${head}\n${table}\naccuracy of windows: chance ${test.chance.toFixed(3)}${range}`;
}
