/** The options of `prepare` and `run` that say how recordings become windows, and windows spectrograms. */
import { type Command, Option } from 'commander';
import { defaultParameters } from '../data/dataset.js';
import type { Parameters } from '../data/schema.js';
import { number, positiveInteger, positiveNumber } from './options.js';

type SameName = Exclude<
  keyof Parameters,
  'size' | 'removeDc' | 'gateDb' | 'noiseWindows' | 'maxWindows' | 'dropClipped'
>;

export interface SpectrogramFlags extends Pick<Parameters, SameName> {
  readonly keepDc?: boolean;
  readonly gate?: number;
  readonly noiseClass?: number;
  readonly maxWindows?: number;
  readonly dropClipped?: boolean;
}

/** The command with these options, in groups of their own in its help. */
export function spectrogramOptions(command: Command): Command {
  const d = defaultParameters;
  command
    .optionsGroup('Windows:')
    .option('--window <seconds>', 'length of a window', positiveNumber, d.window)
    .option(
      '--hop <seconds>',
      'from one window to the next; of two events that are closer the weaker has none',
      positiveNumber,
      d.hop,
    )
    .addOption(
      new Option('--windows <where>', 'grid: all along; events: where something sounds')
        .choices(['grid', 'events'])
        .default(d.windows),
    )
    .option('--event-db <decibels>', 'how far above the background an event is', positiveNumber, d.eventDb)
    .option('--event-gap <seconds>', 'events closer than this are one', number, d.eventGap)
    .option('--event-length <seconds>', 'what is shorter is no event', number, d.eventLength)
    .option('--max-windows <n>', 'a recording: the strongest events, or spread evenly', positiveInteger)
    .addOption(
      new Option('--noise-class [n]', 'a class noise of what lies between events, n windows a recording')
        .argParser(positiveInteger)
        .preset('2'),
    )
    .option('--silence-db <decibels>', 'windows that stay below this peak are left out', number, d.silenceDb)
    .option('--clipped-share <share>', 'a window clips with more of its samples at full scale', number, d.clippedShare)
    .option('--drop-clipped', 'leave windows out that clip, which else have a note in dataset.json')
    .optionsGroup('Samples:')
    .option('--keep-dc', "do not take off each window's mean")
    .addOption(
      new Option('--gate [decibels]', 'turn down what is not so far above the steady noise')
        .argParser(positiveNumber)
        .preset('8'),
    );
  return transformOptions(command, d).optionsGroup('Options:');
}

/** What a spectrogram shows, a group in its help; without defaults, what is not given is not set. */
export function transformOptions(command: Command, d: Partial<Parameters> = {}): Command {
  return command
    .optionsGroup('Spectrograms:')
    .addOption(
      new Option('--transform <name>', 'morlet, morse or bump wavelets; mel (Slaney) or linear short-time spectra')
        .choices(['morlet', 'morse', 'bump', 'mel', 'stft'])
        .default(d.transform),
    )
    .option('--fmin <hertz>', 'frequency of the lowest row', positiveNumber, d.fmin)
    .option('--fmax <hertz>', 'frequency of the highest row', positiveNumber, d.fmax)
    .option('--w0 <radians>', 'of morlet: larger is finer in pitch, coarser in time', positiveNumber, d.w0)
    .option('--beta <b>', 'of morse: likewise', positiveNumber, d.beta)
    .option('--gamma <g>', 'of morse: its symmetry', positiveNumber, d.gamma)
    .option('--mu <radians>', 'of bump: its frequency', positiveNumber, d.mu)
    .option('--sigma <radians>', 'of bump: half of its band', positiveNumber, d.sigma)
    .option('--frame <seconds>', 'of mel and stft: length of a frame', positiveNumber, d.frame)
    .option('--frame-hop <seconds>', 'of mel and stft: from one frame to the next', positiveNumber, d.frameHop)
    .option('--range-db <decibels>', 'from black to white', positiveNumber, d.rangeDb)
    .addOption(
      new Option(
        '--normalise <how>',
        "what is white: max, the loudest pixel; a tone of the window's peak or rms; none, a tone of full scale",
      )
        .choices(['max', 'peak', 'rms', 'none'])
        .default(d.normalise),
    );
}

/** What the flags say of a data set's parameters. */
export function parametersFrom(flags: SpectrogramFlags): Parameters {
  const { keepDc = false, gate, noiseClass, maxWindows, ...others } = flags;
  const given = Object.entries(others).filter(([name]) => name in defaultParameters);
  return {
    ...defaultParameters,
    ...(Object.fromEntries(given) as Partial<Parameters>),
    maxWindows: maxWindows ?? null,
    removeDc: !keepDc,
    gateDb: gate ?? null,
    noiseWindows: noiseClass ?? 0,
  };
}
