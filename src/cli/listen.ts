/** lyrebird listen IMAGE...: spectrograms back into sound. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { usableLimit } from '../audio/canvas.js';
import { type Resynthesised, resynthesise } from '../audio/resynthesis.js';
import { resizedBand } from '../audio/spectrogram.js';
import { encodeWav } from '../audio/wav.js';
import { entriesIn } from '../data/read.js';
import { defaultParameters, type Parameters, type Shown } from '../data/schema.js';
import { findSpectrograms, type Sources, type SpectrogramFile, shownBy } from '../data/spectrogramFiles.js';
import { systemCode, toUserError, UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { gridPng } from '../io/image.js';
import { type GrayPicture, readGray } from '../io/pixels.js';
import { createProgress } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import { quantile } from '../metrics/bootstrap.js';
import { adapterOption, withFastEngine } from './engine.js';
import { interruptible } from './interrupt.js';
import { folder, positiveInteger, positiveNumber } from './options.js';
import { Failure, LeftOut } from './outcome.js';
import { counted, listed } from './prepare.js';
import { transformOptions } from './spectrogramOptions.js';

interface ListenFlags extends Partial<Parameters> {
  readonly out?: string;
  readonly like?: string;
  readonly rate?: number;
  readonly iterations: number;
  readonly sheet?: string;
  readonly check?: number;
  readonly adapter?: string;
}

export function register(program: Command): void {
  const command = program
    .command('listen')
    .usage('<images...> [options]')
    .description(
      'Turns spectrograms, real or synthetic, back into sound: a WAV file for each image, beside it or in --out. What they ' +
        'show is read from the dataset.json or manifest.json about them. Phases, which no image has, are found by the ' +
        "gradients of its levels and fast Griffin-Lim; the 'spectral convergence' says how far the sound's own spectrogram is from the image, relative to the " +
        'image: 0 if they agree, 1 for silence. Images that cannot be used are left out and listed; the exit code is 3 ' +
        'then, or 1 if nothing is left.',
    )
    .argument('<images...>', 'images, or folders: a data set, a run (its synthetic images), or any other')
    .option('--out <folder>', 'where the sounds go (default: beside the images)', folder)
    .option('--rate <hertz>', "sample rate (default: the recordings')", wavRate)
    .option('--window <seconds>', 'length of what an image shows (default: as its data set says)', positiveNumber)
    .option('--like <folder>', 'a data set, or generated images, made in the same way as the images')
    .option('--sheet <file>', `a picture of the images beside the spectrograms of their sounds, ${SHEET} at most`)
    .option('--check <n>', 'write no sounds: say how well n of the images, evenly spread, come back', positiveInteger)
    .option('--iterations <n>', 'more come closer to the image, slowly', positiveInteger, 60)
    .addOption(adapterOption());
  transformOptions(command)
    .optionsGroup('Options:')
    .action(async (named: string[], flags: ListenFlags) => {
      const all = await findSpectrograms(named);
      if (flags.like !== undefined) await entriesIn(flags.like); // refuses what is not there before each image does
      if (flags.sheet !== undefined && existsSync(flags.sheet)) {
        throw new UserError(`"${flags.sheet}" is there already: choose another --sheet, or move it away first.`);
      }
      const left = await interruptible((signal) =>
        withFastEngine({ adapter: flags.adapter, tuned: 'none' }, (engine) =>
          flags.check === undefined
            ? writeSounds({ engine, files: all, flags, signal })
            : check({ engine, files: evenly(all, flags.check), flags, signal }),
        ),
      );
      if (left > 0) throw new LeftOut(`all is done, but ${counted(left, 'image')} could not be used.`);
    });
}

/** What decoders take, and a spectrogram can be computed at. */
function wavRate(text: string): number {
  const rate = positiveInteger(text);
  if (rate < 1000 || rate > 1_000_000) throw new InvalidArgumentError('Give 1000 to 1000000.');
  return rate;
}

/** At most so many of the items, evenly spread. */
const evenly = <T>(items: readonly T[], most: number): T[] =>
  items.filter((_, i) => Math.floor((i * most) / items.length) !== Math.floor(((i - 1) * most) / items.length));

/** A spectrogram as sound. */
interface Heard extends Shown {
  file: SpectrogramFile;
  picture: GrayPicture;
  sound: Resynthesised;
}

interface Job {
  readonly engine: Engine;
  readonly files: readonly SpectrogramFile[];
  readonly flags: ListenFlags;
  readonly signal: AbortSignal;
}

/** Writes the sounds; gives how many images were left out. Throws a Failure if nothing else is left. */
async function writeSounds(job: Job): Promise<number> {
  const { files, flags, signal } = job;
  const targets = targetsOf(files, flags.out);
  const lines: string[] = [];
  const left = await hearEach(job, {
    before: (file) => checkTarget(targets.get(file)!),
    async use({ file, sound, parameters, sampleRate }) {
      const target = targets.get(file)!;
      await writeAtomically(target, encodeWav(audible(sound.samples, parameters), sampleRate, MARK));
      const close = inWords(sound.agreement.convergence);
      const top = usableLimit(sampleRate);
      const lost =
        flags.rate !== undefined && top < parameters.fmax ? `; the rate holds nothing above ${Math.round(top)} Hz` : '';
      lines.push(`${target}: ${parameters.window} s at ${sampleRate} Hz, spectral convergence ${close}${lost}`);
    },
  });
  for (const line of listed(lines)) console.log(line);
  const stopped = signal.aborted ? ', stopped' : '';
  console.log(`${counted(lines.length, 'sound')} of ${counted(files.length, 'image')}, ${left} left out${stopped}`);
  if (lines.length === 0 && !signal.aborted) throw new Failure(NOTHING);
  return left;
}

const NOTHING = 'No image could be turned into sound.';

/** Says how well images come back, in numbers; gives how many were left out. Throws a Failure if nothing else is left. */
async function check(job: Job): Promise<number> {
  const convergences: number[] = [];
  const tracks: number[] = [];
  const transforms = new Set<string>();
  const left = await hearEach(job, {
    async use({ parameters, sound: { agreement } }) {
      transforms.add(parameters.transform);
      convergences.push(agreement.convergence);
      tracks.push(agreement.track);
    },
  });
  if (convergences.length === 0) {
    if (job.signal.aborted) return left;
    throw new Failure(NOTHING);
  }
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(convergences, share));
  console.log(
    `${counted(convergences.length, 'image')} by ${[...transforms].join(', ')}: spectral convergence median ` +
      `${inWords(middle!)}, half of them from ${low!.toFixed(3)} to ${high!.toFixed(3)}`,
  );
  console.log(
    `the loudest row is the image's or its neighbour in ${percent(quantile(tracks, 0.5))} of the columns (median; ` +
      `${percent(Math.min(...tracks))} at worst)`,
  );
  return left;
}

interface Uses {
  /** May refuse an image by throwing a UserError, before any work. */
  before?(file: SpectrogramFile): Promise<void>;
  use(heard: Heard): Promise<void>;
}

/**
 * Turns images into sound, one after the other, with progress on stderr, and draws the sheet. Lists those that cannot be used,
 * and gives their number.
 */
async function hearEach({ engine, files, flags, signal }: Job, { before, use }: Uses): Promise<number> {
  const progress = createProgress({ title: 'listen', total: files.length, unit: 'images' });
  const sources: Sources = new Map();
  const left: string[] = [];
  const toShow = new Set(flags.sheet === undefined ? [] : evenly(files, SHEET));
  const pairs: Heard[] = [];
  try {
    for (const [i, file] of files.entries()) {
      if (signal.aborted) break;
      try {
        await before?.(file);
        const heard = await hear(engine, file, flags, sources);
        await use(heard);
        if (toShow.has(file)) pairs.push(heard);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        left.push(error.message.includes(file.file) ? error.message : `${file.file}: ${error.message}`);
      }
      progress.update(i + 1, { image: file.name });
    }
  } finally {
    progress.stop();
  }
  for (const line of listed(left)) console.log(`left out: ${line}`);
  if (flags.sheet !== undefined && pairs.length > 0) await writeAtomically(flags.sheet, await sheetOf(pairs));
  return left.length;
}

async function hear(engine: Engine, file: SpectrogramFile, flags: ListenFlags, sources: Sources): Promise<Heard> {
  const { like, rate, iterations } = flags;
  const picture = await readGray(file.file);
  checkPicture(picture);
  const { width, height: rows, values } = picture;
  const given = Object.fromEntries(Object.entries(flags).filter(([name]) => name in defaultParameters));
  const shown = await shownBy(file.file, { like, given, rows }, sources);
  const { parameters } = shown;
  const sampleRate = rate ?? shown.sampleRate;
  const band = resizedBand({ ...parameters, rows: parameters.size, width }, rows);
  const options = { ...parameters, ...band, rows, width, sampleRate, seconds: parameters.window, iterations };
  return { file, picture, parameters, sampleRate, sound: await resynthesise(engine, values, options) };
}

/** Colours beyond this are no compression's or generator's trembling about grey. */
const GRAY = 0.1;

function checkPicture({ width, height, colour }: GrayPicture): void {
  if (Math.max(width, height) > 4096 || Math.min(width, height) < 8) {
    throw new UserError(`It has ${width} x ${height} pixels: 8 to 4096 along each side can be heard.`);
  }
  if (colour > GRAY) {
    throw new UserError(
      'It is in colour, and nothing says how loud which colour is: name spectrograms in grey, white for what is loud.',
    );
  }
}

/** Where the sound of each image goes; those of one name are numbered. */
function targetsOf(files: readonly SpectrogramFile[], out: string | undefined): Map<SpectrogramFile, string> {
  const taken = new Set<string>();
  return new Map(
    files.map((file) => {
      const place = out === undefined ? file.file.replace(/\.[^./\\]+$/, '') : path.join(out, file.name);
      let target = `${place}.wav`;
      for (let k = 2; taken.has(target.toLowerCase()); k++) target = `${place}-${k}.wav`;
      taken.add(target.toLowerCase());
      return [file, target];
    }),
  );
}

/** In every file that `listen` writes, so that nobody takes it for a recording. */
const MARK = 'Resynthesised from a spectrogram by lyrebird; this is no recording.';

/** Throws a UserError if there is a file that `listen` has not written. */
async function checkTarget(target: string): Promise<void> {
  const bytes = await readFile(target).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw toUserError(error, target);
  });
  if (!bytes || bytes.subarray(-MARK.length - 2).includes(MARK)) return;
  throw new UserError(`"${target}" is there already, and was not made from a spectrogram: choose another --out.`);
}

/** The peak of sounds whose images do not say how loud they were. */
const PEAK = 0.9;

/** At the level that the image says, where it says it and it fits into a file. */
function audible(samples: Float32Array, { normalise }: Parameters): Float32Array {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const gain = normalise === 'max' || peak > 1 ? PEAK / (peak || 1) : 1;
  return samples.map((sample) => gain * sample);
}

/** Images on a sheet, each beside the spectrogram of its sound. */
const SHEET = 32;
const SHEET_COLUMNS = 4;

/** Pairs of squares, whatever the images' own sizes; each is as dark or bright as its image. */
function sheetOf(pairs: readonly Heard[]): Promise<Buffer> {
  const size = Math.max(...pairs.map(({ picture }) => Math.max(picture.width, picture.height)));
  const images = pairs.flatMap(({ picture, sound }) =>
    [picture.values, sound.image].map((values) => square(values, picture, size)),
  );
  return gridPng(images, {
    columns: Math.min(SHEET_COLUMNS, images.length),
    size,
    title: 'images, and right of each the spectrogram of its sound',
  });
}

/** Levels of [height, width] values at [size, size] pixels, each the nearest. */
function square(values: Float32Array, { width, height }: GrayPicture, size: number): Uint8Array {
  return Uint8Array.from({ length: size * size }, (_, i) => {
    const row = Math.floor((Math.floor(i / size) * height) / size);
    const column = Math.floor(((i % size) * width) / size);
    return Math.round(255 * values[row * width + column]!);
  });
}

/** `0.073 (-22.7 dB)` */
const inWords = (ratio: number): string =>
  `${ratio.toFixed(3)}${ratio > 0 ? ` (${(20 * Math.log10(ratio)).toFixed(1)} dB)` : ''}`;

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
