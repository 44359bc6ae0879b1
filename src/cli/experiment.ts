/** lyrebird experiment DATASET: what augmentation gains, by classifiers trained on many mixes of real and generated images. */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { areSynthesised } from '../audio/syrinx.js';
import {
  checkExperiment,
  EXPERIMENTS,
  type ExperimentConfig,
  type ExperimentPreset,
} from '../classify/experiment/config.js';
import type { MemberRecord } from '../classify/experiment/member.js';
import { describeMix } from '../classify/experiment/mixes.js';
import { type Folded, foldDataset, planRounds } from '../classify/experiment/plan.js';
import {
  type Done,
  type ExperimentRun,
  folderOf,
  hashOfImages,
  type Member,
  membersOf,
  readDone,
  runRound,
} from '../classify/experiment/run.js';
import { tabulate } from '../classify/experiment/tabulate.js';
import { readDataset } from '../data/read.js';
import { recordingOf } from '../data/split.js';
import { describeSkipped, type ImageStore } from '../data/store.js';
import { UserError } from '../io/errors.js';
import { armName, type Experiment } from '../io/experiment.js';
import { experimentCsv, experimentMarkdown, experimentRows, points, verdictOf } from '../io/experimentTable.js';
import { isInside, isOwnFolder, writeAtomically } from '../io/files.js';
import { createProgress, formatDuration, type Progress } from '../io/progress.js';
import { experimentPage } from '../io/report/experiment.js';
import { bytes as bytesText } from '../io/report/format.js';
import { readConfigFile } from '../train/config.js';
import { checkEarlier } from './earlier.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { type Estimate, estimate, total } from './experiment/estimate.js';
import { alone } from './interrupt.js';
import { folder } from './options.js';
import { counted, reportUnread } from './prepare.js';
import { formatTable } from './table.js';

interface ExperimentFlags extends DeviceFlags {
  readonly out: string;
  readonly preset?: ExperimentPreset;
  readonly estimate?: true;
}

export function register(program: Command): void {
  program
    .command('experiment')
    .usage('<dataset or config.json> --out <folder> [options]')
    .description(
      'Measures what augmentation gains, as Fu et al. 2023 did: for each fold and seed trains a generator on the other folds, ' +
        'and MobileNetV2, ResNet-18 and VGG16, of ordinary and of dynamic convolutions, on the real images, on several mixes of ' +
        'real and generated ones, and with traditional augmentation; tests them on the recordings held out. Writes report.html, ' +
        'to look at, experiment.md, experiment.csv and experiment.json: means, standard deviations, and gains over real images alone with a ' +
        'paired test. Says beforehand how long it takes. Stopped or killed, it goes on where it was when it is given again.',
    )
    .argument(
      '<dataset or config>',
      'data set, or a JSON file {"dataset": "FOLDER", "preset": "small", ...} with any fields that are other than in the preset',
    )
    .requiredOption('--out <folder>', 'where everything goes', folder)
    .addOption(
      new Option(
        '--preset <name>',
        'small (default): an hour or so of two CPU cores, 32 x 32; full: 128 x 128, for GPUs',
      ).choices(EXPERIMENTS),
    )
    .option('--estimate', 'only say how long it takes, and how much disk')
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (given: string, flags: ExperimentFlags) => {
      const { out } = flags;
      const { dir, config } = await readConfig(given, flags.preset);
      const dataset = await readDataset(dir);
      const folded = foldDataset(dataset, config);
      if (isInside(out, dir)) throw new UserError(`"${out}" lies in the data set, "${dir}": choose another --out.`);
      await isOwnFolder(out, FILES.numbers);
      const leftOut = await alone(out, (signal) =>
        withFastEngine(flags, async (engine) => {
          const rounds = planRounds(out, config, folded.folds);
          const begin = performance.now();
          const { data, skipped } = await hashOfImages(folded, config, signal);
          for (const note of notesOf(folded)) console.error(`note: ${note}`);
          for (const line of describeSkipped(dataset, skipped)) console.error(line);
          const opening = (performance.now() - begin) / 1000;
          const synthetic = areSynthesised(dataset.classes);
          const run = { engine, folded: without(folded, skipped), config, rounds, data, synthetic, signal };
          const text = await experiment(run, opening, flags);
          if (text) console.log(text);
          return skipped.length;
        }),
      );
      if (!flags.estimate) reportUnread(leftOut);
    });
}

/** What a reader of the results should know of the data set, and of how it is divided. */
const notesOf = ({ dataset, notes }: Folded): string[] => [...dataset.notes, ...notes];

/** Images that cannot be read take no part, so they are not counted either. */
function without(folded: Folded, skipped: ImageStore['skipped']): Folded {
  const names = new Set(skipped.map(({ file }) => file));
  const { dataset } = folded;
  return { ...folded, dataset: { ...dataset, images: dataset.images.filter(({ file }) => !names.has(file)) } };
}

const FILES = {
  numbers: 'experiment.json',
  table: 'experiment.csv',
  text: 'experiment.md',
  page: 'report.html',
} as const;

const FORMAT = 'lyrebird-experiment/1';

/** The data set's folder, and the settings. Throws a UserError that names what is wrong. */
async function readConfig(
  given: string,
  preset: ExperimentPreset | undefined,
): Promise<{ dir: string; config: ExperimentConfig }> {
  if (!given.endsWith('.json')) {
    return { dir: given, config: checkExperiment({}, preset ?? 'small', 'The experiment') };
  }
  const file: object & { dataset?: unknown; preset?: unknown } = await readConfigFile(given);
  const { dataset, preset: named = 'small', ...fields } = file;
  if (typeof dataset !== 'string' || dataset === '') {
    throw new UserError(
      `"${given}": "dataset" (${JSON.stringify(dataset) ?? 'missing'}): must be a data set's folder.`,
    );
  }
  const known = EXPERIMENTS.find((each) => each === (preset ?? named));
  if (!known) {
    throw new UserError(`"${given}": "preset" (${JSON.stringify(named)}): must be ${EXPERIMENTS.join(' or ')}.`);
  }
  return { dir: path.resolve(path.dirname(given), dataset), config: checkExperiment(fields, known, `"${given}"`) };
}

/** Makes what is missing, and writes the tables after every round. Returns what to print. */
async function experiment(
  run: ExperimentRun,
  opening: number,
  { out, estimate: only }: ExperimentFlags,
): Promise<string> {
  const { rounds, signal } = run;
  const settings = settingsOf(run);
  await checkEarlier({ out, file: path.join(out, FILES.numbers), format: FORMAT, what: 'an experiment' }, settings);
  const done = await readDone(run);
  const left = rounds.flatMap(membersOf).filter((member) => !done.has(folderOf(member)) && isWanted(member, done));
  const known = left.length > 0 ? await timed(run, opening, left) : undefined;
  if (known) {
    // What was asked for goes where results go.
    (only ? console.log : console.error)(describeEstimate(left, known));
    await checkRoom(out, left, known);
  }
  if (only) return known ? '' : 'All is done.';
  // Before anything else is put into the folder: so it is known again however this ends.
  let found = await writeTables(run, out, settings, done);
  if (known) {
    const progress = createProgress({ title: 'experiment', total: WHOLE, unit: '‰' });
    const making = follow(run, total(left, known).seconds, known, progress);
    try {
      for (const round of rounds) {
        const complete = await runRound(making.run, round, done, making.onDone);
        found = await writeTables(run, out, settings, done);
        if (!complete) break;
      }
    } finally {
      progress.stop();
    }
  }
  return signal.aborted ? `${out}: stopped; the same command goes on` : summaryOf(found, out);
}

/** A generator only where a classifier that is not done needs it. */
function isWanted({ round, classifier }: Member, done: Done): boolean {
  if (classifier) return true;
  return round.classifiers.some(({ arm, folder: of }) => arm.mix.synthetic !== 0 && !done.has(of));
}

/** By names, so that networks, mixes, folds and seeds can be added. */
function settingsOf({ config, data }: ExperimentRun): Record<string, unknown> {
  const { networks, mixes, folds, tested: _, seeds: __, dynamic: ___, ...common } = config;
  return {
    ...common,
    folds,
    data,
    ...Object.fromEntries(networks.map(({ name, ...network }) => [`network ${name}`, network])),
    ...Object.fromEntries(mixes.map(({ name, ...mix }) => [`mix ${name}`, mix])),
  };
}

async function timed(run: ExperimentRun, opening: number, left: readonly Member[]): Promise<Estimate> {
  const { engine, config, folded, signal } = run;
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    return await estimate(engine, config, folded.dataset.classes.length, left, {
      opening,
      signal,
      onTimed: (done, of) => {
        progress ??= createProgress({ title: 'estimate', total: of, unit: 'kinds' });
        progress.update(done);
      },
    });
  } finally {
    progress?.stop();
  }
}

function describeEstimate(left: readonly Member[], known: Estimate): string {
  const { seconds, bytes } = total(left, known);
  const generators = left.filter(({ classifier }) => !classifier).length;
  return (
    `${counted(generators, 'generator')} and ${counted(left.length - generators, 'classifier')} to train: about ` +
    `${formatDuration(seconds)} and ${bytesText(bytes)} on disk (a step: ${known.steps.join(', ')})`
  );
}

/** Throws a UserError if there is not enough of it. */
async function checkRoom(out: string, left: readonly Member[], known: Estimate): Promise<void> {
  const { most } = total(left, known);
  const { bavail, bsize } = await statfs(out);
  if (bavail * bsize < most) {
    throw new UserError(
      `The disk of "${out}" has ${bytesText(bavail * bsize)} left, and up to ${bytesText(most)} are needed. Free some ` +
        'space, or choose an --out elsewhere.',
    );
  }
}

/** Progress is counted in thousandths of the time that all is estimated to take. */
const WHOLE = 1000;

/** A run that shows how far it is. */
function follow(run: ExperimentRun, seconds: number, { costOf }: Estimate, progress: Progress) {
  const all = run.rounds.flatMap(membersOf).map(folderOf);
  let past = 0;
  const show = (now: number, member: Member): void =>
    progress.update(Math.floor((WHOLE * Math.min(now, seconds)) / seconds), { now: titleOf(member) });
  return {
    run: {
      ...run,
      onNote: progress.note,
      onStep: (member: Member, step: number, steps: number) =>
        show(past + (costOf(member).seconds * step) / steps, member),
    },
    onDone: async (member: Member, record: MemberRecord): Promise<void> => {
      past += costOf(member).seconds;
      show(past, member);
      progress.note(
        `${all.indexOf(folderOf(member)) + 1} of ${all.length}: ${titleOf(member)}: ${describeRecord(record)}`,
      );
    },
  };
}

function titleOf({ round: { fold, seed }, classifier }: Member): string {
  const what = classifier
    ? `${armName(classifier.arm.network.name, classifier.arm.dynamic)}, ${classifier.arm.mix.name}`
    : 'generator';
  return `${what}, fold ${fold}, seed ${seed}`;
}

function describeRecord({ result, failed }: MemberRecord): string {
  if (failed !== undefined) return `failed: ${failed}`;
  return result ? `${points(result.accuracy)} % of windows right` : 'trained';
}

async function writeTables(
  run: ExperimentRun,
  out: string,
  settings: Experiment['settings'],
  done: Done,
): Promise<Experiment> {
  const found = experimentOf(run, settings, done);
  await writeAtomically(path.join(out, FILES.numbers), `${JSON.stringify(found, null, 1)}\n`);
  await writeAtomically(path.join(out, FILES.table), experimentCsv(found));
  await writeAtomically(path.join(out, FILES.text), experimentMarkdown(found));
  await writeAtomically(path.join(out, FILES.page), experimentPage(found));
  return found;
}

function experimentOf(run: ExperimentRun, settings: Experiment['settings'], done: Done): Experiment {
  const { folded, config, rounds, synthetic } = run;
  const { dataset, folds } = folded;
  const tested = dataset.images.filter(({ fold }) => fold !== undefined && folds.includes(fold));
  const classifiers = rounds.flatMap((round) => round.classifiers);
  const chances = classifiers.flatMap(({ folder: of }) => done.get(of)?.result?.chance ?? []);
  return {
    format: FORMAT,
    complete: classifiers.every(({ folder: of }) => done.has(of)),
    settings,
    dataset: dataset.dir,
    synthetic,
    classes: dataset.classes,
    images: tested.length,
    recordings: new Set(tested.map(recordingOf)).size,
    folds,
    seeds: config.seeds,
    notes: notesOf(folded),
    chance: chances.reduce((sum, chance) => sum + chance / chances.length, 0),
    networks: config.networks.map(({ name }) => name),
    mixes: config.mixes.map((mix) => ({
      name: mix.name,
      what: describeMix(mix),
      // With another augmentation besides, a gain over real images alone is not that of generated ones.
      generated: mix.synthetic !== 0 && mix.augment.length === 0,
    })),
    ...tabulate(config, rounds, done),
    failures: rounds.flatMap(({ folder: of, fold, seed }) => {
      const failed = done.get(of)?.failed;
      return failed === undefined ? [] : [{ fold, seed, failed }];
    }),
  };
}

function summaryOf(found: Experiment, out: string): string {
  const [header, ...rows] = experimentRows(found);
  const table = formatTable(
    header!,
    rows,
    header!.map((_, i) => (i < 2 ? ('left' as const) : ('right' as const))),
  );
  return `${table}\n${verdictOf(found).join('\n')}\n${path.join(out, FILES.page)}: to look at in a browser`;
}
