/**
 * Recordings into samples: WAV, MP3, FLAC, Ogg Vorbis, Opus and M4A, as one mono channel at the recording's own rate,
 * stretch by stretch, so that a recording of hours takes no more memory than one of a minute.
 *
 * A damaged file is judged by what decodes. It is kept, with a note, when at least half of the length that its header
 * promises is there: every sample before a cut is as good as ever. It is refused when less than half is there (the copy
 * or download has to be mended, not the analysis), when samples are not numbers, and when they show that the decoder
 * went astray: a rate other than the header's, or levels that no lossy codec gives for sound.
 */

import { UserError } from '../io/errors.js';
import { type Bytes, openFile } from './bytes.js';
import { type Decoded, openDecoder } from './decoder.js';
import { encodedBlocks } from './encoded.js';
import { type Header, readHeader } from './header.js';
import { cutStretches, type Stretch } from './stretches.js';

/** A recording that cannot be used. The message is a sentence that names it; `reason` is the rest of that sentence. */
export class BadRecording extends UserError {
  constructor(
    path: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`"${path}" ${reason}`, options);
  }
}

/** A recording that is being read. */
export interface Sound {
  /** Hz */
  sampleRate: number;
  /**
   * All of it, in order, once: the mean of its channels, nominally in [-1, 1]. A fault that shows only later is thrown
   * before the last stretch is given.
   */
  stretches: AsyncGenerator<Stretch, void, undefined>;
  /** What the whole was found to be; to be called after the last stretch. */
  ending(): Ending;
  /** Ends the reading, wherever it is. */
  close(): Promise<void>;
}

export interface Ending {
  seconds: number;
  /** Set when the file is damaged, but what decodes is worth keeping: a sentence saying what is missing. */
  note?: string;
}

export interface ReadOptions {
  /** The longest window to be cut from the stretches, seconds. */
  window: number;
  /** Seconds for each block, which end a decoder that hangs. Default 30. */
  timeLimit?: number;
}

const MIN_SECONDS = 0.1;
/** From very old recorders to ultrasound detectors, Hz. */
const [MIN_RATE, MAX_RATE] = [4000, 1_000_000];
/** A float WAV may hold the range of 16-bit integers; other formats end near 1, lossy ones a little above. */
const MAX_PEAK = { wav: 65536, other: 8 };
const CUT_OFF_SHARE = 0.98;
const MIN_SHARE = 0.5;

/**
 * Opens a recording and decodes its beginning. Throws a BadRecording of one sentence that names the file, what is wrong,
 * and what to do, or a UserError if it cannot be read at all; so do its stretches. Whoever opens it closes it.
 */
export async function openRecording(path: string, { window, timeLimit }: ReadOptions): Promise<Sound> {
  const file = await openFile(path);
  try {
    const header = await readHeader(file);
    const fault = await headerFault(file, header);
    if (fault) throw new BadRecording(path, fault);
    const state: State = { path, header, sampleRate: 0, length: 0 };
    const blocks = monoBlocks(decodeBlocks(file, state, timeLimit), state);
    const first = await blocks.next(); // only now the rate is known for certain
    const stretches = cutStretches(withFirst(first, blocks), { sampleRate: state.sampleRate, window });
    const close = async () => {
      await stretches.return();
      await blocks.return();
      await file.close();
    };
    return { sampleRate: state.sampleRate, stretches, ending: () => endingOf(state), close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What has been decoded so far. */
interface State {
  path: string;
  header: Header;
  sampleRate: number;
  /** Samples of one channel. */
  length: number;
  /** Why the decoder gave up, if it did. */
  fault?: string;
}

/** What is wrong with a file by its header alone. */
async function headerFault(file: Bytes, header: Header): Promise<string | undefined> {
  const known = 'WAV, MP3, FLAC, Ogg Vorbis, Opus and M4A are read';
  if (file.size === 0) return 'is empty (0 bytes): copy or download it again.';
  if (header.format === 'other') {
    return isText(await file.read(0, 1024))
      ? `is a text file, not a recording, whatever its name says (${known}).`
      : `is not a recording in a known format (${known}): convert it first.`;
  }
  if (header.channels === 0) return 'says that it has 0 channels: its header is damaged, copy or download it again.';
  if (header.sampleRate === 0) return 'says that its sample rate is 0 Hz: its header is damaged, mend or convert it.';
  if (header.format === 'wav' && !header.layout) {
    return 'does not say how its samples are laid out: its header is damaged, mend or convert it.';
  }
  if (header.format === 'm4a' && header.unfinished) {
    return 'is cut off or not a sound file (its table of samples is missing): copy or download it again.';
  }
  return undefined;
}

/** What the decoder gives until the end, or until it gives up, which is noted. */
async function* decodeBlocks(file: Bytes, state: State, timeLimit: number | undefined): AsyncGenerator<Decoded> {
  const { header } = state;
  if (header.format === 'other') return;
  const decoder = openDecoder(header.format, timeLimit);
  const decode = (block?: Uint8Array<ArrayBuffer>) =>
    decoder.decode(block).catch((error: Error) => {
      state.fault = error.message;
      return undefined;
    });
  try {
    for await (const block of encodedBlocks(file, header)) {
      const decoded = await decode(block);
      if (!decoded) return;
      yield decoded;
    }
    const rest = await decode();
    if (rest) yield rest;
  } finally {
    decoder.close();
  }
}

/** One channel, of blocks that hold any sound and are without fault. Throws a BadRecording where one is not, or at the end. */
async function* monoBlocks(
  blocks: AsyncIterable<Decoded>,
  state: State,
): AsyncGenerator<Float32Array, void, undefined> {
  for await (const block of blocks) {
    const length = block.channelData[0]?.length ?? 0;
    if (length === 0) continue;
    const fault = rateFault(block.sampleRate, state) ?? levelFault(block, state);
    if (fault) throw new BadRecording(state.path, fault);
    state.sampleRate = block.sampleRate;
    state.length += length;
    yield mixToMono(block.channelData);
  }
  const fault = lengthFault(state);
  if (fault) throw new BadRecording(state.path, fault);
}

async function* withFirst(first: IteratorResult<Float32Array, void>, others: AsyncIterable<Float32Array>) {
  if (first.value) yield first.value;
  yield* others;
}

function rateFault(rate: number, { header, sampleRate }: State): string | undefined {
  if (!(rate >= MIN_RATE && rate <= MAX_RATE)) {
    return `has a sample rate of ${rate} Hz, outside ${MIN_RATE} to ${MAX_RATE} Hz: its header may be damaged.`;
  }
  const begin = sampleRate || (header.format === 'mp3' && header.sampleRate) || rate;
  if (begin === rate) return undefined;
  return `starts at ${begin} Hz and goes on at ${rate} Hz: it is damaged, download it again.`;
}

/** Samples that are no numbers, or beyond all reason. */
function levelFault({ channelData, sampleRate }: Decoded, { header, length }: State): string | undefined {
  const limit = header.format === 'wav' ? MAX_PEAK.wav : MAX_PEAK.other;
  for (const channel of channelData) {
    const i = firstBeyond(channel, limit);
    if (i < 0) continue;
    const sample = channel[i]!;
    const after = `after ${show((length + i) / sampleRate)} s`;
    if (!Number.isFinite(sample)) {
      return `has samples that are NaN or infinite, the first ${after}: export it again as 16-bit WAV.`;
    }
    const advice = header.format === 'wav' ? 'scale it to [-1, 1]' : 'it is damaged, copy or download it again';
    return `holds a sample of ${sample.toPrecision(3)} ${after}, where 1 is full scale: ${advice}.`;
  }
  return undefined;
}

/** The first sample that is not within -limit and limit; -1 if all are. */
function firstBeyond(samples: Float32Array, limit: number): number {
  for (let i = 0; i < samples.length; i++) if (!(Math.abs(samples[i]!) <= limit)) return i;
  return -1;
}

/** Whether too little of it could be decoded. */
function lengthFault({ header, sampleRate, length, fault }: State): string | undefined {
  if (length === 0 && fault)
    return `could not be decoded (${fault}): check that it plays, or convert it to 16-bit WAV.`;
  if (length === 0) {
    const promise = header.seconds ? ` of the ${show(header.seconds)} s that its header promises` : '';
    return `holds no sound at all${promise}: it is empty or cut off, copy or download it again.`;
  }
  const seconds = length / sampleRate;
  if (header.seconds && seconds < MIN_SHARE * header.seconds) {
    return `is cut off or damaged: only ${show(seconds)} s of ${show(header.seconds)} s decode; copy or download it again.`;
  }
  if (seconds < MIN_SECONDS) return `lasts only ${show(seconds)} s: there is nothing to analyse in it.`;
  return undefined;
}

function endingOf({ header, sampleRate, length, fault }: State): Ending {
  const seconds = length / sampleRate;
  const note = cutOffNote(header, seconds, sampleRate, fault);
  return { seconds, ...(note !== undefined && { note }) };
}

function cutOffNote(
  header: Header,
  seconds: number,
  sampleRate: number,
  fault: string | undefined,
): string | undefined {
  if (header.unfinished) return `is cut off: its end is missing; the ${show(seconds)} s before it are used.`;
  // Lossy codecs add up to some frames, which decoders take off again.
  const padding = 0.1 + (header.format === 'mp3' || header.format === 'm4a' ? 3000 / sampleRate : 0);
  if (header.seconds && seconds < CUT_OFF_SHARE * header.seconds - padding) {
    return `is cut off or damaged: ${show(seconds)} s of ${show(header.seconds)} s decode and are used.`;
  }
  return fault && `is damaged (${fault}): the ${show(seconds)} s that decode are used.`;
}

/** The mean of all channels, in the place of the first. */
function mixToMono(channelData: readonly Float32Array[]): Float32Array {
  const [mean, ...others] = channelData as [Float32Array, ...Float32Array[]];
  for (const channel of others) for (let i = 0; i < mean.length; i++) mean[i]! += channel[i]!;
  if (others.length > 0) for (let i = 0; i < mean.length; i++) mean[i]! /= channelData.length;
  return mean;
}

/** Printable characters, tabs and line ends only, over the first kilobyte. */
function isText(bytes: Uint8Array): boolean {
  return bytes
    .subarray(0, 1024)
    .every((byte) => (byte >= 32 ? byte !== 127 : byte === 9 || byte === 10 || byte === 13));
}

function show(seconds: number): string {
  return seconds.toFixed(seconds < 1 ? 3 : 1);
}
