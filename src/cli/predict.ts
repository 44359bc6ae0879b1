/** lyrebird predict MODEL FILE|DIR: which species sound where in new recordings. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { findUnlabelled, type RecordingFile, type Skipped } from '../audio/find.js';
import {
  audacityTrack,
  combinedRavenTable,
  detectionsOf,
  detectionTable,
  type Heard,
  ravenTable,
  windowLines,
} from '../classify/detections.js';
import { readModel } from '../classify/files.js';
import { createPredictor, type Prediction } from '../classify/predict.js';
import { toUserError, UserError } from '../io/errors.js';
import { insideFolder, isOwnFolder, type Parts, writeAtomically, writeInParts } from '../io/files.js';
import { createProgress, formatDuration } from '../io/progress.js';
import { csvText } from '../io/table.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { alone } from './interrupt.js';
import { folder, number, positiveNumber } from './options.js';
import { LeftOut } from './outcome.js';
import { counted } from './prepare.js';
import { formatTable } from './table.js';

interface PredictFlags extends DeviceFlags {
  readonly out: string;
  readonly threshold?: number;
  readonly hop?: number;
}

/** By this file a folder of results is known. */
const SUMMARY = 'detections.csv';

export function register(program: Command): void {
  program
    .command('predict')
    .usage('<model> <recordings...> --out <folder> [options]')
    .description(
      'Says which species sound where in new recordings: every window is named by a classifier (lyrebird train-classifier), ' +
        'windows of one species that follow each other are one detection. Writes selection tables for Raven and label tracks for ' +
        'Audacity, one for each recording, one table of all (selections.txt), detections.csv, and windows.csv with the ' +
        'probability of each species in each window. What it is not sure of is called unknown.',
    )
    .argument('<model>', "a classifier's folder, or its model.safetensors")
    .argument('<recordings...>', 'files, or folders of them')
    .requiredOption('--out <folder>', 'where the tables go', folder)
    .option(
      '--threshold <p>',
      'probability below which a window is unknown (default: what 95 % of the rightly named validation windows pass)',
      probability,
    )
    .option('--hop <seconds>', 'from one window to the next (default: as it was trained)', positiveNumber)
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (modelPath: string, given: string[], flags: PredictFlags) => {
      const model = readModel(modelPath);
      const { recordings, skipped } = await findAll(given);
      await isOwnFolder(flags.out, SUMMARY);
      const { classes } = model.info;
      const threshold = flags.threshold ?? model.info.threshold ?? 0;
      const { heard, leftOut, written } = await alone(flags.out, (signal) =>
        withFastEngine(flags, async (engine) => {
          const predictor = createPredictor(engine, model, flags.hop);
          const { fmin, fmax } = predictor.parameters;
          const describe = ({ path: file }: RecordingFile, { windows, seconds, sampleRate }: Prediction): Heard => ({
            ...{
              path: path.resolve(file),
              name: path.basename(file),
              seconds,
              low: fmin,
              high: Math.min(fmax, sampleRate / 2),
            },
            detections: detectionsOf(windows, classes, threshold),
          });
          const left = [...skipped];
          const all: Heard[] = [];
          const tables: string[] = [];
          const table = windowTable(flags.out, classes);
          const progress = createProgress({ title: 'predict', total: recordings.length, unit: 'recordings' });
          const begin = performance.now();
          for (const { file, reason } of skipped) progress.note(`left out: ${file}: ${reason}`);
          let sound = 0;
          try {
            for (const [i, recording] of recordings.entries()) {
              if (signal.aborted) break;
              const onWindows = (at: number) => progress.update(i, { at: formatDuration(at) });
              const prediction = await predictor.predict(recording.path, onWindows, signal);
              if ('fault' in prediction) {
                left.push({ file: recording.path, reason: prediction.fault });
                progress.note(`left out: ${recording.path}: ${prediction.fault}`);
              } else {
                if (prediction.note !== undefined) progress.note(`${recording.path} ${prediction.note}`);
                const result = describe(recording, prediction);
                all.push(result);
                tables.push(...(await writeTables(flags.out, recording.recording, result)));
                await table.append(windowLines(result, prediction.windows, classes, threshold));
                sound += prediction.seconds;
              }
              const speed = sound / ((performance.now() - begin) / 1000);
              progress.update(i + 1, { detections: total(all), speed: `${speed.toPrecision(2)} x real time` });
            }
            if (!signal.aborted) await table.append([]);
          } catch (error) {
            if (!signal.aborted) throw error;
          } finally {
            progress.stop();
            predictor.destroy();
            if (table.isBegun()) await writeSummaries(flags.out, all).finally(table.finish);
          }
          if (signal.aborted) console.log(describeStop(all.length, recordings.length, flags.out));
          return { heard: all, leftOut: left, written: tables };
        }),
      );
      const earlier = await tablesBut(written, flags.out);
      if (earlier.length > 0) {
        console.error(
          `note: "${flags.out}" has ${counted(earlier.length, 'table')} of recordings that were not heard now, such as ` +
            `${earlier[0]}: of an earlier call.`,
        );
      }
      console.log(describe(heard, flags.out, threshold));
      if (leftOut.length > 0) {
        throw new LeftOut(`all is done, but ${counted(leftOut.length, 'recording')} could not be used (see above).`);
      }
    });
}

function probability(text: string): number {
  const value = number(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError('Give a number from 0 to 1.');
  return value;
}

/** Recordings in the order given; each is named by its path below its folder, or by its file name. Throws if a path is not there. */
async function findAll(given: readonly string[]): Promise<{ recordings: RecordingFile[]; skipped: Skipped[] }> {
  const recordings: RecordingFile[] = [];
  const skipped: Skipped[] = [];
  for (const name of given) {
    const stats = await stat(name).catch((error: unknown) => {
      throw toUserError(error, name);
    });
    if (stats.isDirectory()) {
      const found = await findUnlabelled(name);
      recordings.push(...found.recordings);
      skipped.push(...found.skipped);
    } else recordings.push({ path: name, recording: path.basename(name, path.extname(name)) });
  }
  const seen = new Map<string, string>();
  const once = recordings.filter(({ recording, path: file }) => {
    const other = seen.get(recording);
    if (other !== undefined && path.resolve(other) === path.resolve(file)) return false; // given twice
    if (other !== undefined) {
      throw new UserError(`The tables of "${other}" and "${file}" would have one name: give them in separate calls.`);
    }
    seen.set(recording, file);
    return true;
  });
  return { recordings: once, skipped };
}

/** windows.csv. Not begun before there is something to append: what an earlier call left stays if this one is stopped at once. */
function windowTable(out: string, classes: readonly string[]) {
  let parts: Parts | undefined;
  return {
    isBegun: () => parts !== undefined,
    append: async (lines: Iterable<string>): Promise<void> => {
      if (!parts) {
        parts = await writeInParts(path.join(out, 'windows.csv'));
        await parts.append(csvText([['file', 'start', 'end', 'named', ...classes]]));
      }
      for (const some of lines) await parts.append(some);
    },
    finish: async (): Promise<void> => parts?.finish(),
  };
}

/** Of the tables of single recordings. */
const [RAVEN, AUDACITY] = ['raven', 'audacity'];

/** `raven/<recording>.Table.1.selections.txt` and `audacity/<recording>.txt`: their paths. */
async function writeTables(out: string, recording: string, heard: Heard): Promise<string[]> {
  const name = recording.replaceAll('\\', '/');
  const raven = insideFolder(out, `${RAVEN}/${name}.Table.1.selections.txt`);
  const audacity = insideFolder(out, `${AUDACITY}/${name}.txt`);
  await writeAtomically(raven, ravenTable(heard));
  await writeAtomically(audacity, audacityTrack(heard));
  return [raven, audacity];
}

/** The tables of single recordings that are there besides those just written. They may have been worked on, so they stay. */
async function tablesBut(written: readonly string[], out: string): Promise<string[]> {
  const found: string[] = [];
  for (const kind of [RAVEN, AUDACITY]) {
    const names = await readdir(path.join(out, kind), { recursive: true }).catch(() => []);
    found.push(...names.filter((name) => name.endsWith('.txt')).map((name) => path.resolve(out, kind, name)));
  }
  const now = new Set(written);
  return found.filter((file) => !now.has(file)).sort();
}

async function writeSummaries(out: string, all: readonly Heard[]): Promise<void> {
  await writeAtomically(path.join(out, SUMMARY), detectionTable(all));
  await writeAtomically(path.join(out, 'selections.txt'), combinedRavenTable(all));
}

const total = (all: readonly Heard[]): number => all.reduce((sum, { detections }) => sum + detections.length, 0);

/** The same command does not go on, so it says what there is. */
const describeStop = (heard: number, of: number, out: string): string =>
  heard === 0
    ? `${out}: stopped before a recording was heard; no table is written`
    : `${out}: stopped; the tables are of ${heard} of ${counted(of, 'recording')}, and the same command begins anew`;

/** Detections of each species. */
function describe(all: readonly Heard[], out: string, threshold: number): string {
  const detections = all.flatMap((heard) => heard.detections);
  const labels = [...new Set(detections.map(({ label }) => label))].sort();
  const head = `${out}: ${counted(detections.length, 'detection')} in ${counted(all.length, 'recording')}; unknown below ${threshold.toFixed(3)}`;
  if (detections.length === 0) return head;
  const rows = labels.map((label) => {
    const own = detections.filter((each) => each.label === label);
    const heardIn = all.filter((heard) => heard.detections.some((each) => each.label === label)).length;
    const mean = own.reduce((sum, { confidence }) => sum + confidence, 0) / own.length;
    return [label, String(own.length), String(heardIn), mean.toFixed(2)];
  });
  return `${head}\n${formatTable(['species', 'detections', 'recordings', 'mean probability'], rows, ['left', 'right', 'right', 'right'])}`;
}
