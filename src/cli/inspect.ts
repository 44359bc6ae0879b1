/** lyrebird inspect DATASET: what a data set is like, in numbers and on sheets to look at. */
import path from 'node:path';
import type { Command } from 'commander';
import { noiseLabel } from '../audio/places.js';
import { type AugmentConfig, isAugmented } from '../data/augment.js';
import { type Inspection, inspectDataset } from '../data/inspect.js';
import { safeNames } from '../data/names.js';
import { foldsOf } from '../data/parts.js';
import { type Dataset, readDataset } from '../data/read.js';
import { augmentationSheet, classSheet } from '../data/sheets.js';
import { openImages } from '../data/store.js';
import { UserError } from '../io/errors.js';
import { isInside, isOwnFolder, writeAtomically } from '../io/files.js';
import type { Channels } from '../io/pixels.js';
import { createProgress } from '../io/progress.js';
import { interruptible } from './interrupt.js';
import { augmentOption, folder, wholeNumber } from './options.js';
import { counted } from './prepare.js';
import { formatTable } from './table.js';

/** All that was found, for programs; and how a folder of sheets is known again. */
const resultName = 'inspection.json';

export function register(program: Command): void {
  program
    .command('inspect')
    .usage('<dataset> [options]')
    .description(
      'Says what a data set, or any folder of images, holds: images, recordings and seconds of each class and part; sizes, ' +
        'channels and levels; images that cannot be read, that look the same, or that give one part away to another. Draws ' +
        'a sheet of each class, and with --augment one of what augmentation makes of its images.',
    )
    .argument('<dataset>', "data set made by 'lyrebird prepare', or any folder of images")
    .option('--out <folder>', 'where the sheets go (default: lyrebird-inspect-<name of the data set>)', folder)
    .option('--fold <k>', 'of a data set in folds: the one that tests', wholeNumber)
    .addOption(augmentOption())
    .action(async (dir: string, options: { out?: string; fold?: number; augment?: AugmentConfig }) => {
      const { fold, augment } = options;
      const dataset = await readDataset(dir, { fold });
      const out = options.out ?? `lyrebird-inspect-${path.basename(path.resolve(dir))}`;
      if (isInside(out, dir)) throw new UserError(`"${out}" lies in the data set, "${dir}": choose another --out.`);
      await isOwnFolder(out, resultName);
      await interruptible(async (signal) => {
        const found = await inspect(dataset, signal);
        console.log(describeInspection(dataset, found));
        await writeAtomically(path.join(out, resultName), `${JSON.stringify(found, null, 1)}\n`);
        await writeSheets(dataset, found, out, signal);
        const augmented = augment !== undefined && isAugmented(augment);
        if (augmented) await writeAugmented(dataset, found, augment, out, signal);
        console.log(`${out}: ${counted(dataset.classes.length + (augmented ? 1 : 0), 'sheet')} to look at`);
      });
    });
}

async function inspect(dataset: Dataset, signal: AbortSignal): Promise<Inspection> {
  const total = 2 * dataset.images.length;
  const progress = createProgress({ title: 'inspect', total, unit: 'images' });
  try {
    return await inspectDataset(dataset, { signal, onProgress: (done) => progress.update(done) });
  } finally {
    progress.stop();
  }
}

const channelsOf = ({ kinds }: Inspection): Channels => (kinds.some(([kind]) => kind.startsWith('colour')) ? 3 : 1);

async function writeSheets(dataset: Dataset, found: Inspection, out: string, signal: AbortSignal): Promise<void> {
  const names = safeNames(dataset.classes, ['augmented']);
  for (const label of dataset.classes) {
    signal.throwIfAborted();
    await writeAtomically(
      path.join(out, `${names.get(label)}.png`),
      await classSheet(dataset, label, channelsOf(found)),
    );
  }
}

/** Side at which augmentation is shown: large enough to see, small enough for a screen. */
const SHOWN = 128;

async function writeAugmented(
  dataset: Dataset,
  found: Inspection,
  config: AugmentConfig,
  out: string,
  signal: AbortSignal,
): Promise<void> {
  const source = await openImages(dataset, 'train', { size: SHOWN, channels: channelsOf(found), signal });
  const noiseClass = dataset.classes.indexOf(noiseLabel);
  const rangeDb = dataset.parameters?.rangeDb;
  const sheet = await augmentationSheet({ source, noiseClass, config, rangeDb, seed: 1 });
  await writeAtomically(path.join(out, 'augmented.png'), sheet);
}

/** As many as a terminal can show of a list; inspection.json has all. */
const LISTED = 5;

function describeInspection(dataset: Dataset, found: Inspection): string {
  const { dir, images, parameters, notes } = dataset;
  const kind = parameters
    ? `${parameters.transform}, ${parameters.fmin} to ${parameters.fmax} Hz, windows of ${parameters.window} s`
    : 'a folder of pictures';
  const folds = foldsOf(images);
  return [
    `${dir}: ${counted(images.length, 'image')} of ${counted(found.classes.length, 'class', 'classes')} (${kind})`,
    '',
    classTable(
      found,
      images.some(({ split }) => split === 'validation'),
    ),
    '',
    ...balance(found),
    ...(folds.length > 0 ? [`folds: ${folds.map((fold) => `${fold} (${inFold(dataset, fold)})`).join(', ')}`] : []),
    `sizes: ${listing(found.sizes)}`,
    `kinds: ${listing(found.kinds)}`,
    levels(found),
    ...doubtful(found),
    // A prepared data set has the leaks among its notes.
    ...notes.filter((note) => !found.leaks.includes(note)).map((note) => `note: ${note}`),
    ...found.leaks.map((leak) => `warning: ${leak}`),
  ].join('\n');
}

const inFold = ({ images }: Dataset, fold: number): number => images.filter((image) => image.fold === fold).length;

function classTable({ classes }: Inspection, withValidation: boolean): string {
  const header = [
    'class',
    'train',
    ...(withValidation ? ['validation'] : []),
    'test',
    'images',
    'recordings',
    'recordists',
  ];
  const hasTimes = classes.some(({ seconds }) => seconds > 0);
  const rows = classes.map(({ label, parts, images, recordings, recordists, seconds, mean, deviation }) => [
    label,
    ...[parts.train, ...(withValidation ? [parts.validation] : []), parts.test, images, recordings, recordists].map(
      String,
    ),
    ...(hasTimes ? [duration(seconds)] : []),
    mean.toFixed(2),
    deviation.toFixed(2),
  ]);
  const names = [...header, ...(hasTimes ? ['sound'] : []), 'mean', 'deviation'];
  return formatTable(names, rows, ['left', ...names.slice(1).map(() => 'right' as const)]);
}

/** `48 s`, `12.3 min`, `2.1 h` */
function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function balance({ classes }: Inspection): string[] {
  const trained = classes.filter(({ parts }) => parts.train > 0).sort((a, b) => b.parts.train - a.parts.train);
  const [most, least] = [trained[0], trained.at(-1)];
  if (!most || !least || most === least) return [];
  const ratio = most.parts.train / least.parts.train;
  const advice = ratio >= 2 ? '; train --balanced draws each class equally often' : '';
  return [`balance: "${most.label}" has ${ratio.toFixed(1)} times the training images of "${least.label}"${advice}`];
}

const listing = (counts: readonly [string, number][]): string =>
  [
    ...counts.slice(0, LISTED).map(([name, images]) => `${name} (${images})`),
    ...(counts.length > LISTED ? [`${counts.length - LISTED} more`] : []),
  ].join(', ');

function levels({ levels: { mean, deviation, black, white } }: Inspection): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return (
    `levels: mean ${mean.toFixed(3)}, deviation within an image ${deviation.toFixed(3)} (of 0 to 1); ${percent(black)} ` +
    `of the pixels are black, ${percent(white)} white`
  );
}

/** Images that somebody should look at. */
function doubtful({ blank, unreadable, duplicates }: Inspection): string[] {
  const across = duplicates.filter(({ labels }) => labels);
  const pairs = [...across, ...duplicates.filter(({ labels }) => !labels)];
  const named = <T>(items: readonly T[], text: (item: T) => string) => [
    ...items.slice(0, LISTED).map((item) => `  ${text(item)}`),
    ...(items.length > LISTED ? [`  ... and ${items.length - LISTED} more`] : []),
  ];
  return [
    ...(unreadable.length > 0
      ? [`cannot be read: ${counted(unreadable.length, 'image')}`, ...named(unreadable, ({ reason }) => reason)]
      : []),
    ...(blank.length > 0
      ? [`of one level only: ${counted(blank.length, 'image')}`, ...named(blank, (file) => file)]
      : []),
    ...(pairs.length > 0
      ? [
          `look the same: ${counted(pairs.length, 'pair')}, ${across.length} of them in different classes`,
          ...named(pairs, ({ a, b, correlation }) => `${a} and ${b} (correlation ${correlation.toFixed(3)})`),
        ]
      : []),
  ];
}
